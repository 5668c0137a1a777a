"""Signatures, read by a library that is not ours."""

from __future__ import annotations

import stat
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command

from newsletter.delivery.dkim import Signer, read_key
from newsletter.delivery.send import send_batches
from newsletter.delivery.test_send import send_test
from newsletter.digests.models import Digest
from tests.builders import NOW
from tests.delivery.conftest import Clock, states
from tests.delivery.scripted_server import ScriptedServer

Ready = Callable[..., Digest]
Configure = Callable[..., None]

MESSAGE = (
    b'From: "Il Bollettino" <bollettino@union.example>\r\nTo: anna@posta.example\r\n'
    b"Subject: =?utf-8?q?Pensioni=2C_l=E2=80=99accordo?=\r\n =?utf-8?q?_=C3=A8_firmato?=\r\n"
    b"Message-ID: <1@union.example>\r\nList-Unsubscribe: <https://union.example/via/>\r\n"
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\r\nCiao,\r\n\r\nun saluto.\r\n"
)


def write_key(path: Path, private: Any) -> str:
    path.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return f"{path.stem}:{path}"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An entry of DKIM_KEYS for each kind."""
    folder = tmp_path_factory.mktemp("keys")
    return {
        "rsa": write_key(folder / "r2026.pem", rsa.generate_private_key(65537, 2048)),
        "ed25519": write_key(folder / "e2026.pem", ed25519.Ed25519PrivateKey.generate()),
    }


def holds(message: bytes, entries: list[str], *, number: int = 0) -> bool:
    """Whether the number-th signature is true, with the DNS as we tell operators to write it."""
    records = {
        f"{key.selector}._domainkey.union.example.": key.record.encode()
        for key in map(read_key, entries)
    }

    def ask_dns(name: bytes, timeout: int = 5) -> bytes | None:
        return records.get(name.decode())

    try:
        return bool(dkim.DKIM(message).verify(idx=number, dnsfunc=ask_dns))
    except dkim.ValidationError:
        return False


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
def test_a_signature_is_true_and_a_changed_mail_is_not(keys: dict[str, str], kind: str) -> None:
    entries = [keys[kind]]
    signed = Signer("union.example", [read_key(keys[kind])]).sign(MESSAGE, now=NOW)
    assert holds(signed, entries)
    assert not holds(signed.replace(b"anna@", b"anno@"), entries)
    assert not holds(signed.replace(b"/via/", b"/via2/"), entries)
    assert not holds(signed.replace(b"One-Click", b"Two-Click"), entries)
    assert not holds(signed.replace(b"un saluto", b"un saldo"), entries)
    # A second From, put in front on the way, would be the one that is shown.
    assert not holds(signed.replace(b"From:", b"From: x@evil.example\r\nFrom:", 1), entries)


def test_both_kinds_stand_side_by_side(keys: dict[str, str]) -> None:
    entries = [keys["rsa"], keys["ed25519"]]
    signed = Signer("union.example", [read_key(entry) for entry in entries]).sign(MESSAGE, now=NOW)
    assert signed.count(b"DKIM-Signature:") == 2
    assert all(holds(signed, entries, number=number) for number in (0, 1))


@pytest.mark.parametrize("end", [b"", b"\r\n", b"\r\n\r\n\r\n"])
def test_lines_at_the_end_do_not_count(keys: dict[str, str], end: bytes) -> None:
    signer = Signer("union.example", [read_key(keys["ed25519"])])
    assert holds(signer.sign(MESSAGE.rstrip() + end, now=NOW), [keys["ed25519"]])


def test_what_goes_out_is_signed_for_the_senders_domain(
    ready_digest: Ready, smtp: ScriptedServer, configure: Configure, keys: dict[str, str]
) -> None:
    entries = [keys["rsa"], keys["ed25519"]]
    configure(DKIM_KEYS=entries)
    digest = ready_digest(["anna@posta.example", "bruno@città.example"])
    send_batches(digest.pk, clock=Clock())
    assert len(smtp.received) == 2
    for mail in smtp.received:
        assert all(holds(mail.raw, entries, number=number) for number in (0, 1))
        assert max(len(line) for line in mail.raw.split(b"\r\n")) <= 998


def test_a_test_mail_is_signed_like_the_real_one(
    ready_digest: Ready, smtp: ScriptedServer, configure: Configure, keys: dict[str, str]
) -> None:
    configure(DKIM_KEYS=[keys["ed25519"]])
    send_test(ready_digest(1), ["anna@posta.example"], language="it", now=NOW)
    assert holds(smtp.received[0].raw, [keys["ed25519"]])


def test_with_a_key_that_cannot_be_read_nothing_goes_out_unsigned(
    ready_digest: Ready, smtp: ScriptedServer, configure: Configure, tmp_path: Path
) -> None:
    digest = ready_digest(["anna@posta.example"])
    configure(DKIM_KEYS=[f"b2026:{tmp_path}/missing.pem"])
    assert send_batches(digest.pk, clock=Clock()).ended == "settings"
    assert smtp.received == []
    assert states(digest) == {"anna@posta.example": "pending"}
    digest.refresh_from_db()
    assert "missing.pem cannot be read" in digest.status_reason
    assert [found.id for found in run_checks() if found.id == "newsletter.E008"]


def test_a_key_is_refused_with_what_to_do(tmp_path: Path) -> None:
    curve = write_key(tmp_path / "curve.pem", ec.generate_private_key(ec.SECP256R1()))
    junk = tmp_path / "junk.pem"
    junk.write_text("not a key")
    for entry, words in [
        ("no-path", "looks like"),
        (f"a b:{junk}", "looks like"),
        (f"b:{junk}", "is not a private key in PEM"),
        (curve, "must be Ed25519, or RSA of 2048 bits"),
    ]:
        with pytest.raises(ImproperlyConfigured, match=words):
            read_key(entry)


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
@pytest.mark.django_db
def test_the_command_makes_a_key_that_only_its_owner_reads_and_says_its_record(
    tmp_path: Path, kind: str
) -> None:
    file = tmp_path / "key.pem"
    said = StringIO()
    call_command("dkim_key", file, type=kind, domain="union.example", stdout=said)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    made = file.read_bytes()
    entry = f"bollettino:{file}"
    assert f"DKIM_KEYS={entry}" in said.getvalue()
    assert "bollettino._domainkey.union.example." in said.getvalue()
    record = said.getvalue().replace('" "', "")
    assert f'"{read_key(entry).record}"' in record
    call_command("dkim_key", file, type=kind, domain="union.example", stdout=said)
    assert file.read_bytes() == made, "a key in use was overwritten"


@pytest.mark.django_db
def test_a_key_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("dkim_key", tmp_path / "nowhere" / "key.pem")
