"""What a variant costs to render, and what more members cost beyond that: nothing.

    .venv/bin/python benchmarks/compile.py [--strict]

Both references are measured in the same run: the bare template, before its styles are inlined and
without the plain text; and a message of Django's own, built for each member from the same variant.
"""

from __future__ import annotations

import harness

harness.start()

from datetime import UTC, datetime  # noqa: E402
from uuid import uuid4  # noqa: E402

from django.core.mail import EmailMultiAlternatives  # noqa: E402
from django.template.loader import render_to_string  # noqa: E402
from django.utils import translation  # noqa: E402

from newsletter.delivery.message import CompiledMessage, compile_message  # noqa: E402
from newsletter.digests.render import page_of, render  # noqa: E402
from newsletter.digests.slots import TOKEN_SLOT  # noqa: E402
from newsletter.digests.variants import items_for, variant_key  # noqa: E402
from tests.digests.contents import THEMES, make_content  # noqa: E402

RENDERS = 50
FEW, MANY = 1_000, 20_000
MESSAGES = 200
COPIES = 5_000
CONTENT = make_content()
POSITIONS = range(len(CONTENT.items))


def render_variants() -> None:
    for _ in range(RENDERS):
        render(CONTENT, positions=POSITIONS, language="it")


def render_bare_template() -> None:
    with translation.override("it"):
        page = page_of(CONTENT, CONTENT.items, "it", "mail", {})
        for _ in range(RENDERS):
            render_to_string("newsletter/email/digest.html", {"page": page})


def render_for_audience(members: int) -> None:
    """What the freeze renders: one variant for each distinct set of items, whoever chose it."""
    numbers = [number for number, *_ in THEMES]
    choices = {frozenset(numbers[: member % len(numbers)]) for member in range(members)}
    sets = {items_for(CONTENT, choice) or () for choice in choices}
    for positions in {variant_key("it", items): items for items in sets}.values():
        render(CONTENT, positions=positions, language="it")


def build_messages() -> None:
    mail = render(CONTENT, positions=POSITIONS, language="it")
    for member in range(MESSAGES):
        token = f"{member:032d}"
        message = EmailMultiAlternatives(
            mail.subject,
            mail.text.replace(TOKEN_SLOT, token),
            "bollettino@union.example",
            [f"persona{member}@posta.example"],
        )
        message.attach_alternative(mail.html.replace(TOKEN_SLOT, token), "text/html")
        message.message().as_bytes()


def make_copies() -> None:
    for member in range(COPIES):
        COMPILED.for_member(f"persona{member}@posta.example", MEMBER, member)


def compiled() -> CompiledMessage:
    mail = render(CONTENT, positions=POSITIONS, language="it")
    return compile_message(
        CONTENT,
        subject=mail.subject,
        html=mail.html,
        text=mail.text,
        language="it",
        now=datetime(2026, 7, 16, 7, tzinfo=UTC),
    )


MEMBER = uuid4()
COMPILED = compiled()
variant = harness.measure("a variant", render_variants, units=RENDERS)
bare = harness.measure("the bare template", render_bare_template, units=RENDERS)
message = harness.measure("one Django message", build_messages, units=MESSAGES)
copy = harness.measure("a member's copy", make_copies, units=COPIES)
few = harness.measure(f"{FEW} members", lambda: render_for_audience(FEW))
many = harness.measure(f"{MANY} members", lambda: render_for_audience(MANY))

print(f"a variant of {len(POSITIONS)} articles: {variant.seconds * 1000:.1f} ms")
print(f"a member's copy: {copy.seconds * 1_000_000:.1f} µs")
harness.ratio("a member's copy", copy, message, bar=20)
harness.ratio("variant, inlined, with plain text", variant, bare, bar=0.2)
harness.ratio("variant, for any number of members", variant, message, bar=0.2)
harness.ratio(f"rendering for {MANY} members", many, few, bar=0.5)
harness.finish()
