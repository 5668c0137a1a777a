from __future__ import annotations

import pytest

from newsletter.exceptions import InvalidMember
from newsletter.members.address import address_hash, canonical_address, masked


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("Anna.Verdi@Posta.Example", "anna.verdi@posta.example"),
        ("  anna@posta.example ", "anna@posta.example"),
        ("anna@città.example", "anna@xn--citt-3na.example"),
        ("anna@XN--CITT-3NA.example", "anna@xn--citt-3na.example"),
        ("anna+bollettino@posta.example.", "anna+bollettino@posta.example"),
    ],
)
def test_spellings_of_one_mailbox_are_one_address(written: str, canonical: str) -> None:
    assert canonical_address(written) == canonical


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("anna@posta.example\nBcc: tutti@posta.example", "line break"),
        ("anna@posta.example\r\n", "line break"),
        ("anna\u2028@posta.example", "line break"),
        ("an\u200bna@posta.example", "invisible"),
        ("anna\x00@posta.example", "invisible"),
        ("", "missing"),
        ("anna", "missing"),
        ("@posta.example", "missing"),
        ("anna@", "missing"),
        ("anna verdi@posta.example", "before the @"),
        ("anna..verdi@posta.example", "before the @"),
        ('"anna"@posta.example', "before the @"),
        ("perché@posta.example", "before the @"),
        ("a" * 65 + "@posta.example", "before the @"),
        ("Anna <anna@posta.example", "before the @"),
        ("anna@posta", "after the @"),
        ("anna@127.0.0.1", "after the @"),
        ("anna@[127.0.0.1]", "after the @"),
        ("anna@posta..example", "after the @"),
        ("anna@-posta.example", "after the @"),
        ("anna@posta.example>", "after the @"),
        ("a@" + "b." * 126 + "example", "after the @"),
        ("a" * 60 + "@" + ".".join(["b" * 60] * 3) + ".example" * 2, "longer"),
    ],
)
def test_what_mail_cannot_reach_is_refused_in_words(written: str, said: str) -> None:
    with pytest.raises(InvalidMember, match=said) as error:
        canonical_address(written)
    assert not written or written not in str(error.value), "an address must not reach the logs"


def test_the_hash_needs_the_secret_key(settings: object) -> None:
    first = address_hash("anna@posta.example")
    assert first == address_hash("anna@posta.example")
    assert len(first) == 64
    settings.SECRET_KEY = "another"  # type: ignore[attr-defined]
    assert first != address_hash("anna@posta.example")


def test_a_page_shows_only_the_beginning() -> None:
    assert masked("anna.verdi@posta.example") == "a…@posta.example"
