"""What a thing is called in its addresses: made from its name, then left alone."""

from __future__ import annotations

from wagtail.admin.panels import FieldPanel, TitleFieldPanel
from wagtail.admin.widgets import SlugInput


class NamePanel(TitleFieldPanel):
    """A name that fills the field `slug` while it is typed, as long as the thing is new.

    Later a new name keeps the old address: links in mails and on other sites lead there.
    """

    def __init__(self, field_name: str = "name", **kwargs: object) -> None:
        super().__init__(field_name, **{"classname": "", "placeholder": False} | kwargs)

    class BoundPanel(TitleFieldPanel.BoundPanel):
        def get_should_apply(self) -> bool:
            return not (self.instance and self.instance.pk)


def slug_panel() -> FieldPanel:
    """The field that a name fills: “Mobilità” becomes `mobilita`, the only signs it takes."""
    return FieldPanel("slug", widget=SlugInput({"data-w-slug-allow-unicode-value": "false"}))
