"""What strange mails say, beside what is to be read in them; and mails made to break a reader."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

import pytest

from newsletter.delivery.bounces.reading import MOST_BYTES, read_report
from newsletter.delivery.bounces.report import Report, Said
from newsletter.delivery.bounces.status import Meaning, meaning_of, status_of

SAMPLES = Path(__file__).parent / "samples"
TOKEN = "0123456789abcdef" * 2 + "01234567"
RETURN_PATH = f"b+{TOKEN}@bounce.union.example"


def sample(name: str, return_path: str = RETURN_PATH) -> bytes:
    text = (SAMPLES / f"{name}.eml").read_text(encoding="utf-8")
    return text.replace("RETURN_PATH", return_path).encode()


ALL = sorted(path.stem for path in SAMPLES.glob("*.eml"))


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("name", ALL)
def test_a_report_is_read_as_it_is_meant(name: str, line_end: bytes) -> None:
    report = read_report(sample(name).replace(b"\n", line_end))
    assert report is not None
    said = {
        "said": report.said.value,
        "status": report.status,
        "server": report.server,
        "detail": report.detail,
    }
    assert said == json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    assert report.tokens == (TOKEN,)


@pytest.mark.parametrize("name", ALL)
def test_no_address_is_left_in_what_is_kept(name: str) -> None:
    report = read_report(sample(name))
    assert report is not None
    assert "@" not in report.detail + report.server + repr(report)


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        ("5.1.1", Meaning.GONE),
        ("5.1.2", Meaning.GONE),
        ("5.1.10", Meaning.GONE),
        ("5.1.8", Meaning.ABOUT_US),  # the sender's address
        ("5.7.1", Meaning.ABOUT_US),
        ("5.7.26", Meaning.ABOUT_US),
        ("5.6.0", Meaning.ABOUT_US),
        ("5.2.2", Meaning.PASSING),
        ("5.0.0", Meaning.PASSING),
        ("4.1.1", Meaning.PASSING),
        ("4.4.7", Meaning.PASSING),
        ("4.7.28", Meaning.ABOUT_US),  # slowed down until it was given up
        ("5.1.1.1", Meaning.PASSING),
        ("", Meaning.PASSING),
        ("five", Meaning.PASSING),
    ],
)
def test_only_what_says_so_plainly_means_that_a_mailbox_is_gone(
    status: str, meaning: Meaning
) -> None:
    assert meaning_of(status) == meaning


@pytest.mark.parametrize(
    ("stated", "words", "counts"),
    [
        ("5.0.0", "550 5.1.1 no such user", "5.1.1"),
        ("5.1.1", "550 5.7.1 blocked", "5.7.1"),
        ("5.1.1", "450 4.1.1 unverified", "4.1.1"),
        ("5.1.1", "450 try later", "4.0.0"),
        ("5.2.2", "550 5.1.1 no such user", "5.2.2"),
        ("5.1.1", "host 10.5.1.1.7 and version 5.1.1rc2 say no", "5.1.1"),
        ("", "version 3.5.1.1 of our server", ""),
        ("", "Sorry. (#5.1.1)", "5.1.1"),
        ("", "550-5.1.1 gone\n550 5.7.1 blocked", "5.7.1"),
    ],
)
def test_of_two_codes_the_milder_counts(stated: str, words: str, counts: str) -> None:
    assert status_of(stated, words) == counts


def test_a_report_that_is_only_quoted_says_nothing() -> None:
    inner = sample("postfix-no-such-user").decode()
    forwarded = (
        f"From: anna@posta.example\nTo: {RETURN_PATH}\nSubject: guarda\nMIME-Version: 1.0\n"
        'Content-Type: multipart/mixed; boundary="=_out"\n\n--=_out\nContent-Type: text/plain\n\n'
        "Che cosa vuol dire?\n\n--=_out\nContent-Type: message/rfc822\n\n" + inner + "\n--=_out--\n"
    )
    report = read_report(forwarded.encode())
    assert report is not None
    assert (report.said, report.status) != (Said.FAILED, "5.1.1")


def test_the_address_may_be_told_beside_the_mail() -> None:
    raw = sample("postfix-no-such-user", "bounces@union.example")
    assert read_report(raw) == read_report(raw, recipients=("x@y.example",))
    report = read_report(raw, recipients=(RETURN_PATH.upper(),))
    assert report is not None
    assert report.tokens == (TOKEN,)


# --- made to break a reader


def nested(depth: int) -> bytes:
    lines = [f"To: {RETURN_PATH}", "MIME-Version: 1.0"]
    for level in range(depth):
        lines += [f'Content-Type: multipart/report; boundary="b{level}"', "", f"--b{level}"]
    return "\n".join([*lines, "Content-Type: text/plain", "", "x"]).encode()


HOSTILE = {
    "empty": b"",
    "zeros": b"\0" * 5000,
    "no header": b"\n\n\n",
    "nested parts": nested(3000),
    "nested mails": b"Content-Type: message/rfc822\n\n" * 3000,
    "a million recipients": sample("postfix-no-such-user").replace(
        b"Action: failed", b"Action: failed\n\nFinal-Recipient: rfc822; x@y\n" * 20_000
    ),
    "one long line": b"To: " + b"a" * 900_000,
    "long subject": b"Subject: " + b"=?utf-8?q?" * 50_000 + b"\n\n",
    "many signs": b"From: mailer-daemon\n\n" + b"<a@" * 300_000,
    "long address": sample("postfix-no-such-user").replace(b"User unknown", b"a" * 900_000 + b"@"),
    "unknown charset": sample("qmail-policy").replace(
        b"Subject: f", b"Content-Type: text/plain; charset=no-such\nSubject: f"
    ),
    "broken base64": sample("exchange-base64").replace(b"RmluYWw", b"!!!!"),
    "no end": sample("postfix-no-such-user")[:900],
    "wrong encoding": sample("qmail-no-such-user").replace(
        b"\n\nHi", b"\nContent-Transfer-Encoding: x-uuencode\n\nHi"
    ),
    "surrogates": sample("postfix-no-such-user").replace(b"User unknown", b"\xed\xa0\x80\xff\xfe"),
    "many tokens": f"To: {', '.join(f'b+{n:040x}@x.example' for n in range(20_000))}\n\n".encode(),
    "larger than is read": sample("postfix-no-such-user") + b"x" * (2 * MOST_BYTES),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_mail_made_to_break_the_reader_costs_little(name: str) -> None:
    began = time.process_time()
    report = read_report(HOSTILE[name])
    assert time.process_time() - began < 3
    assert report is None or len(report.tokens) <= 20
    assert report is None or "\0" not in report.detail + report.server


def mangled(raw: bytes, chance: random.Random) -> bytes:
    """A few bytes, lines or pieces of it changed."""
    data = bytearray(raw)
    for _change in range(chance.randint(1, 8)):
        at = chance.randrange(len(data) or 1)
        match chance.randrange(5):
            case 0:
                data[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del data[at : at + chance.randrange(200)]
            case 2:
                data[at:at] = data[chance.randrange(len(data) or 1) :][:300]
            case 3:
                data[at:at] = chance.choice([b"\n\n", b"\r", b"--=_edge\n", b"\0", b": ", b"\xff"])
            case _:
                lines = bytes(data).split(b"\n")
                chance.shuffle(lines)
                data = bytearray(b"\n".join(lines) or b"x")
    return bytes(data)


@pytest.mark.parametrize("seed", range(8))
def test_no_mail_whatever_breaks_the_reader(seed: int) -> None:
    chance = random.Random(seed)
    for _round in range(60):
        raw = mangled(sample(chance.choice(ALL)), chance)
        report = read_report(raw)
        assert report is None or isinstance(report, Report)
        if report is not None:
            assert len(report.detail) <= 500
            assert len(report.server) <= 100
            assert len(report.status) <= 11
            assert not any(ord(sign) < 32 for sign in report.detail + report.server)
            assert set(report.tokens) <= {token.lower() for token in report.tokens}
