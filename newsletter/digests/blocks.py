"""What an editor may put around the articles: words, a picture, a date, a button, a poll."""

from __future__ import annotations

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from wagtail import blocks
from wagtail.blocks.struct_block import StructBlockValidationError
from wagtail.images.blocks import ImageChooserBlock

# What a mail program shows in the same way everywhere.
RICH_TEXT = ["bold", "italic", "link", "ul", "ol"]
MOST_PICTURES = 3
_FILE_NAME = re.compile(
    r"\S+\.(?:jpe?g|png|gif|webp|avif|heic|svg|bmp|tiff?)|(?:img|dsc|image)[_-]?\d+", re.I
)


class TextBlock(blocks.StructBlock):
    heading = blocks.CharBlock(label=gettext_lazy("Heading"), required=False, max_length=150)
    text = blocks.RichTextBlock(label=gettext_lazy("Text"), features=RICH_TEXT, max_length=5000)

    class Meta:
        icon = "pilcrow"
        label = gettext_lazy("Text")


class PictureBlock(blocks.StructBlock):
    image = ImageChooserBlock(label=gettext_lazy("Picture"))
    alt = blocks.CharBlock(
        label=gettext_lazy("What it shows"),
        max_length=300,
        help_text=gettext_lazy(
            "For those who do not see it; many mail programs hide pictures until asked."
        ),
    )
    caption = blocks.CharBlock(label=gettext_lazy("Caption"), required=False, max_length=300)
    link = blocks.URLBlock(label=gettext_lazy("Link"), required=False)

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        if _FILE_NAME.fullmatch(cleaned["alt"].strip()):
            error = ValidationError(_("This is a file's name. Say what the picture shows."))
            raise StructBlockValidationError(block_errors={"alt": error})
        return cleaned

    class Meta:
        icon = "image"
        label = gettext_lazy("Picture")


class EventBlock(blocks.StructBlock):
    title = blocks.CharBlock(label=gettext_lazy("What happens"), max_length=150)
    starts = blocks.DateTimeBlock(label=gettext_lazy("Begins"))
    ends = blocks.DateTimeBlock(label=gettext_lazy("Ends"), required=False)
    place = blocks.CharBlock(label=gettext_lazy("Where"), required=False, max_length=200)
    text = blocks.TextBlock(label=gettext_lazy("Text"), required=False, max_length=2000, rows=3)
    link = blocks.URLBlock(label=gettext_lazy("Link"), required=False)

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        if cleaned["ends"] and cleaned["ends"] <= cleaned["starts"]:
            error = ValidationError(_("It ends before it begins."))
            raise StructBlockValidationError(block_errors={"ends": error})
        return cleaned

    class Meta:
        icon = "calendar-alt"
        label = gettext_lazy("Event")


class ActionBlock(blocks.StructBlock):
    heading = blocks.CharBlock(label=gettext_lazy("Heading"), required=False, max_length=150)
    text = blocks.TextBlock(label=gettext_lazy("Text"), required=False, max_length=2000, rows=3)
    label = blocks.CharBlock(
        label=gettext_lazy("On the button"),
        max_length=60,
        help_text=gettext_lazy("Say what happens: “Sign the petition”, not “Click here”."),
    )
    link = blocks.URLBlock(label=gettext_lazy("Link"))

    class Meta:
        icon = "pick"
        label = gettext_lazy("Call to action")


class PollBlock(blocks.StructBlock):
    question = blocks.CharBlock(label=gettext_lazy("Question"), max_length=200)
    text = blocks.TextBlock(label=gettext_lazy("Text"), required=False, max_length=2000, rows=3)
    link = blocks.URLBlock(
        label=gettext_lazy("Link"), help_text=gettext_lazy("Where the poll is held.")
    )
    closes = blocks.DateBlock(label=gettext_lazy("Open until"), required=False)

    class Meta:
        icon = "help"
        label = pgettext_lazy("a question to readers", "Poll")  # a feed is polled too


class FreeBlocks(blocks.StreamBlock):
    text = TextBlock()
    picture = PictureBlock()
    event = EventBlock()
    action = ActionBlock()
    poll = PollBlock()

    class Meta:
        required = False
        block_counts = {"picture": {"max_num": MOST_PICTURES}}
        max_num = 12
