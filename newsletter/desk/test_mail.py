"""The test mail of a digest's page: to oneself, to whom one types, or to a saved list."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from wagtail.admin import messages
from wagtail.admin.panels import FieldPanel, ObjectList
from wagtail.admin.ui.tables import BaseColumn, Column
from wagtail.admin.views import generic
from wagtail.log_actions import log

from newsletter.delivery.proof_lists import ProofList, addresses_in
from newsletter.delivery.test_send import MOST_ADDRESSES, send_test
from newsletter.desk.viewset import DeskViewSet
from newsletter.digests.models import Digest
from newsletter.exceptions import NewsletterError

MAY_TEST = "newsletter.send_test_digest"


class TestForm(forms.Form):
    saved = forms.ModelChoiceField(
        label=gettext_lazy("A saved list"),
        queryset=ProofList.objects.all(),
        required=False,
        empty_label=gettext_lazy("None"),
    )
    addresses = forms.CharField(
        label=gettext_lazy("Addresses"),
        help_text=gettext_lazy("Up to ten addresses, with commas between them."),
        max_length=2000,
        required=False,
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        choices=[("it", gettext_lazy("Italian")), ("en", gettext_lazy("English"))],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not ProofList.objects.exists():
            del self.fields["saved"]

    def clean_addresses(self) -> list[str]:
        return addresses_in(self.cleaned_data["addresses"])

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        saved = cleaned.get("saved")
        typed = cleaned.get("addresses", [])
        both = list(dict.fromkeys([*typed, *(saved.addresses.split("\n") if saved else [])]))
        if not both and "addresses" not in self.errors:
            raise ValidationError(_("To whom? Write an address or choose a list."))
        if len(both) > MOST_ADDRESSES:
            raise ValidationError(_("Not more than ten addresses at once."))
        return cleaned | {"addresses": both}


def send(request: HttpRequest, digest: Digest, form: TestForm) -> None:
    """Sends it and says what became of each; nothing of it enters the ledger."""
    to, language = form.cleaned_data["addresses"], form.cleaned_data["language"]
    try:
        results = send_test(digest, to, language=language, now=timezone.now())
    except (NewsletterError, ImproperlyConfigured) as error:
        messages.error(request, _("The test was not sent: %(why)s") % {"why": error})
        return
    sent = sum(1 for refusal in results.values() if not refusal)
    if sent:
        log(instance=digest, action="newsletter.test_send", user=request.user)
        messages.success(
            request,
            ngettext("%(count)d test sent.", "%(count)d tests sent.", sent) % {"count": sent},
        )
    for address, refusal in results.items():
        if refusal:
            messages.error(request, f"{address}: {refusal}")


class ProofListIndexView(generic.IndexView):
    @cached_property
    def columns(self) -> list[BaseColumn]:
        return [
            self._get_title_column("name"),
            Column(
                "addresses",
                label=_("Addresses"),
                accessor=lambda one: ", ".join(one.addresses.split("\n")),
            ),
        ]


class ProofListViewSet(DeskViewSet):
    """Reached from a digest's page; the menu has enough entries."""

    model = ProofList
    name = "newsletter_proof_lists"
    url_prefix = "bollettino/proof-lists"
    icon = "mail"
    add_to_admin_menu = False
    index_view_class = ProofListIndexView
    search_fields: ClassVar = ["name"]

    @cached_property
    def edit_handler(self) -> ObjectList:
        return ObjectList([FieldPanel("name"), FieldPanel("addresses")])
