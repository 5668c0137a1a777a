from __future__ import annotations

import pytest

from newsletter.digests.models import Newsletter
from newsletter.members.models import Member
from newsletter.members.tokens import make_token
from tests.builders import make_member, make_newsletter
from tests.django_mail import SMTP, send_through
from tests.servers import Mailbox


@pytest.fixture
def weekly(db: None) -> Newsletter:
    return make_newsletter("Ogni settimana")


@pytest.fixture
def member(weekly: Newsletter) -> Member:
    return make_member("Anna.Verdi@posta.example", newsletter=weekly, themes=["Pensioni"])


@pytest.fixture
def token(member: Member) -> str:
    return make_token(member.uid)


@pytest.fixture
def real_mail(mailbox: Mailbox, settings: object) -> Mailbox:
    """Django's mail goes to a real SMTP server."""
    send_through(settings, SMTP, port=mailbox.port)
    return mailbox
