"""Newsletters: who sends them, when, and what they select."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.forms.models import WagtailAdminModelForm
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel, ObjectList
from wagtail.admin.ui.tables import BaseColumn, BooleanColumn, Column
from wagtail.admin.views import generic

from newsletter.desk.address_field import NamePanel, slug_panel
from newsletter.desk.sentences import coming_slots, moment_in_words, schedule_sentence
from newsletter.desk.viewset import DeskViewSet
from newsletter.digests.models import Newsletter
from newsletter.digests.schedule import next_slot
from newsletter.members.models import Subscription


def is_in_mails(newsletter: Newsletter) -> bool:
    """Whether somebody may hold a link, or we a proof of consent, that names it by its slug."""
    if not newsletter.pk:
        return False
    approved = newsletter.digests.filter(approved_at__isnull=False)
    return newsletter.subscriptions.exists() or approved.exists()


class NewsletterForm(WagtailAdminModelForm):
    weekdays = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Days of the week"),
        choices=list(WEEKDAYS.items()),
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Daily: the days it goes. Weekly: the first of them."),
    )
    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        choices=lambda: [(name, name) for name in sorted(available_timezones())],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        slug = self.fields["slug"]
        slug.label = _("Name in web addresses")
        slug.help_text = _("How it is called in the addresses of its pages and in its mails.")
        if is_in_mails(self.instance):
            slug.disabled = True
            slug.help_text = _("It stays as it is: mails that were sent unsubscribe by it.")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        fewest, most = cleaned.get("min_items"), cleaned.get("max_items")
        if fewest is not None and most is not None and fewest > most:
            self.add_error("max_items", _("This must not be less than the fewest articles."))
        if cleaned.get("frequency") == Newsletter.Frequency.WEEKLY and not cleaned.get("weekdays"):
            self.add_error("weekdays", _("Choose the day it goes."))
        if cleaned.get("kind") == Newsletter.Kind.URGENT:
            cleaned["approvals"] = Newsletter.Approvals.TWO
        elif (
            cleaned.get("approvals") == Newsletter.Approvals.TWO
            and cleaned.get("when_unapproved") == Newsletter.WhenUnapproved.SEND
        ):
            self.add_error(
                "when_unapproved",
                _("Where two people have to approve, nothing goes without them: hold it."),
            )
        return cleaned


class NewsletterIndexView(generic.IndexView):
    def get_base_queryset(self) -> QuerySet:
        active = Q(subscriptions__state=Subscription.State.ACTIVE)
        return Newsletter.objects.annotate(readers=Count("subscriptions", filter=active))

    @cached_property
    def columns(self) -> list[BaseColumn]:
        now = timezone.now()

        def coming(newsletter: Newsletter) -> str:
            slot = next_slot(newsletter, now) if newsletter.is_active else None
            return moment_in_words(slot, newsletter) if slot else "–"

        return [
            self._get_title_column("name"),
            Column(
                "schedule", label=_("Goes out"), accessor=schedule_sentence, classname="desk-wide"
            ),
            Column("next", label=_("Next time"), accessor=coming),
            Column("readers", label=_("Readers"), sort_key="readers", classname="desk-wide"),
            BooleanColumn("is_active", label=_("In use"), sort_key="is_active"),
        ]


class NewsletterEditView(generic.EditView):
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        context["schedule"] = schedule_sentence(self.object)
        context["slots"] = coming_slots(self.object, now=timezone.now())
        return context


class NewsletterViewSet(DeskViewSet):
    model = Newsletter
    name = "newsletter_newsletters"
    url_prefix = "bollettino/newsletters"
    icon = "openquote"
    menu_label = gettext_lazy("Newsletters")
    menu_name = "newsletter-newsletters"
    index_view_class = NewsletterIndexView
    edit_view_class = NewsletterEditView
    edit_template_name = "newsletter/admin/newsletter/edit.html"

    @cached_property
    def edit_handler(self) -> ObjectList:
        return ObjectList(
            [
                MultiFieldPanel(
                    [
                        NamePanel(),
                        slug_panel(),
                        FieldPanel("description"),
                        FieldPanel("language"),
                        FieldPanel("kind"),
                        FieldRowPanel([FieldPanel("is_active"), FieldPanel("is_public")]),
                    ],
                    heading=gettext_lazy("Newsletter"),
                ),
                MultiFieldPanel(
                    [
                        FieldPanel("frequency"),
                        FieldPanel("weekdays"),
                        FieldPanel("month_day"),
                        FieldRowPanel([FieldPanel("send_at"), FieldPanel("time_zone")]),
                        FieldPanel("lead_hours"),
                        FieldPanel("spread_minutes"),
                        FieldPanel("approvals"),
                        FieldPanel("when_unapproved"),
                    ],
                    heading=gettext_lazy("When it goes out"),
                ),
                MultiFieldPanel(
                    [
                        FieldPanel("themes", widget=forms.CheckboxSelectMultiple),
                        FieldRowPanel([FieldPanel("min_items"), FieldPanel("max_items")]),
                        FieldPanel("introduction"),
                    ],
                    heading=gettext_lazy("What it holds"),
                ),
                MultiFieldPanel(
                    [
                        FieldPanel("sender_name"),
                        FieldPanel("sender_email"),
                        FieldPanel("reply_to"),
                        FieldPanel("postal_address"),
                    ],
                    heading=gettext_lazy("Who sends it"),
                ),
            ],
            base_form_class=NewsletterForm,
        )
