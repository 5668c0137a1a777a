"""Makes a DKIM key and says what to write into the DNS: `manage.py dkim_key FILE`."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from newsletter.delivery.dkim import read_key
from newsletter.delivery.message import ascii_address
from newsletter.digests.models import Newsletter

# A TXT record is made of strings of at most 255 bytes (RFC 1035, 3.3).
_LONGEST_STRING = 255


class Command(BaseCommand):
    help = "Makes a key that signs mails (DKIM), and prints the DNS record that goes with it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="Where the private key is kept.")
        parser.add_argument(
            "--selector", default="bollettino", help="Its name in the DNS. Default: bollettino."
        )
        parser.add_argument(
            "--type",
            choices=["rsa", "ed25519"],
            default="rsa",
            help="Default rsa, which every mail provider knows.",
        )
        parser.add_argument("--domain", help="The senders' domain. Default: the newsletters' own.")

    def handle(self, *args: Any, **options: Any) -> None:
        file: Path = options["file"].absolute()
        if file.exists():
            self.stdout.write(f"{file} is there already; this is its record.")
        else:
            _make(file, options["type"])
            self.stdout.write(f"A new key lies in {file}. Nobody but the senders may read it.")
        entry = f"{options['selector']}:{file}"
        try:
            key = read_key(entry)
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from error
        self.stdout.write("\n1. Add a TXT record to the DNS:\n")
        for domain in [options["domain"]] if options["domain"] else _domains():
            self.stdout.write(
                f"   {key.selector}._domainkey.{domain}.  TXT  {_strings(key.record)}"
            )
        self.stdout.write("\n2. Some minutes later, tell Bollettino, and restart its workers:\n")
        self.stdout.write(f"   DKIM_KEYS={entry}\n")


def _make(file: Path, kind: str) -> None:
    private: ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
    if kind == "rsa":
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    else:
        private = ed25519.Ed25519PrivateKey.generate()
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error.strerror}.") from error
    with os.fdopen(descriptor, "wb") as output:
        output.write(pem)


def _domains() -> list[str]:
    addresses = Newsletter.objects.values_list("sender_email", flat=True)
    found = {ascii_address(address).rpartition("@")[2] for address in addresses}
    return sorted(found) or ["<the senders’ domain>"]


def _strings(record: str) -> str:
    parts = range(0, len(record), _LONGEST_STRING)
    return " ".join(f'"{record[at : at + _LONGEST_STRING]}"' for at in parts)
