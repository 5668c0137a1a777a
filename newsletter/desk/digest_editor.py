"""A digest's editor: what it says and in which order, with the real mail beside it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import FormView
from wagtail.admin import messages
from wagtail.admin.forms.models import WagtailAdminModelForm
from wagtail.admin.panels import (
    FieldPanel,
    FieldRowPanel,
    MultiFieldPanel,
    MultipleChooserPanel,
    ObjectList,
)
from wagtail.admin.views import generic
from wagtail.admin.widgets import AdminDateTimeInput
from wagtail.admin.widgets.button import HeaderButton
from wagtail.log_actions import log
from wagtail.snippets.action_menu import (
    ActionMenuItem,
    PublishMenuItem,
    SubmitForModerationMenuItem,
    UnpublishMenuItem,
    WorkflowMenuItem,
)
from wagtail.snippets.views.snippets import EditView, WorkflowActionView

from newsletter.desk.addressing import AddresseesForm, addressees_panel, offer_addressees
from newsletter.desk.approval import (
    approve_label,
    first_word,
    is_editable,
    may_approve,
    proposed,
    waiting_for_a_second,
    who,
)
from newsletter.desk.audience import Audience, audience_of, reader_modes
from newsletter.desk.checklist import LARGE, going_sentence, mail_weight
from newsletter.desk.sentences import lead_sentence
from newsletter.digests.addressees import addressees_as_edited
from newsletter.digests.compile import compile_digest
from newsletter.digests.content import DigestContent, content_as_edited
from newsletter.digests.models import LEDGER_FIELDS, Digest, Newsletter
from newsletter.digests.schedule import next_slot
from newsletter.exceptions import DigestNotReady, SecondApprovalWanted


class DigestForm(AddresseesForm, WagtailAdminModelForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_addressees(self, self.instance)

    def clean_slot(self) -> datetime | None:
        slot: datetime | None = self.cleaned_data["slot"]
        others = Digest.objects.filter(newsletter=self.instance.newsletter_id, slot=slot)
        if slot and others.exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(
                _("Another issue of this newsletter goes out at that moment.")
            )
        return slot


class OwnWordsPanel(MultiFieldPanel):
    """An article's title and excerpt for this issue alone: folded, open where something is written.

    Wagtail folds panels of the page's first level only, not those of each article in it.
    """

    class BoundPanel(MultiFieldPanel.BoundPanel):
        template_name = "newsletter/admin/digest/folded.html"

        def get_context_data(self, parent_context: Any = None) -> Any:
            context = super().get_context_data(parent_context)
            context["filled"] = any(
                child.bound_field.value() or child.bound_field.errors
                for child in self.visible_children
            )
            return context


BLOCKS_HELP = gettext_lazy("A text with links, a picture, an event, a button or a poll.")


def digest_panels() -> ObjectList:
    return ObjectList(
        [
            MultiFieldPanel(
                [
                    FieldPanel("subject"),
                    FieldPanel("preheader"),
                    FieldPanel("slot"),
                    FieldPanel(
                        "introduction",
                        help_text=gettext_lazy(
                            "The editors' own words, under the masthead. An empty line begins a "
                            "new paragraph."
                        ),
                    ),
                ],
                heading=gettext_lazy("The issue"),
            ),
            addressees_panel(),
            FieldPanel("opening", help_text=BLOCKS_HELP),
            MultipleChooserPanel(
                "items",
                chooser_field_name="article",
                heading=gettext_lazy("Articles"),
                label=gettext_lazy("Article"),
                panels=[
                    FieldPanel("article"),
                    FieldRowPanel(
                        [
                            FieldPanel("is_lead"),
                            FieldPanel("pinned"),
                            FieldPanel("deferred"),
                        ]
                    ),
                    FieldPanel(
                        "theme", help_text=gettext_lazy("Empty: the article's strongest theme.")
                    ),
                    FieldPanel("note"),
                    OwnWordsPanel(
                        [
                            FieldPanel(
                                "title", help_text=gettext_lazy("Empty: the article's own.")
                            ),
                            FieldPanel(
                                "excerpt", help_text=gettext_lazy("Empty: the article's own.")
                            ),
                        ],
                    ),
                ],
            ),
            FieldPanel("closing", help_text=BLOCKS_HELP),
        ],
        base_form_class=DigestForm,
    )


class DigestEditView(EditView):
    template_name = "newsletter/admin/digest/edit.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if is_editable(self.object) or not self.user_has_permission("change"):
            return super().dispatch(request, *args, **kwargs)
        # Frozen: what is sent is the content as it was approved. Its page shows that.
        if self.expects_json_response:
            return self.json_error_response("locked", frozen_message(self.object))
        if request.method == "POST":
            messages.error(request, frozen_message(self.object))
        return redirect("newsletter_digests:overview", self.object.pk)

    def save_instance(self) -> Digest:
        """Saves within the form's transaction, unless the digest was approved since it was read."""
        row = Digest.objects.select_for_update(of=("self",)).get(pk=self.object.pk)
        if not is_editable(row):
            raise PermissionDenied(frozen_message(row))
        draft = self.form.instance
        for name in LEDGER_FIELDS:
            column = Digest._meta.get_field(name).attname
            setattr(draft, column, getattr(row, column))
        before = row.get_latest_revision_as_object()
        saved: Digest = super().save_instance()
        if addressees_as_edited(before) != addressees_as_edited(draft):
            log(instance=draft, action="newsletter.address", user=who(self.request))
        filled = saved.items.exists() or saved.opening or saved.closing
        if row.status == Digest.Status.SKIPPED and filled:
            saved.status, saved.status_reason = Digest.Status.DRAFT, ""
            saved.save(update_fields=["status", "status_reason"])
        return saved

    def publish_action(self) -> Any:
        try:
            with transaction.atomic():
                return super().publish_action()
        except SecondApprovalWanted:
            messages.success(self.request, first_word(self.object, who(self.request)))
            return redirect(self.get_edit_url())
        except DigestNotReady as error:
            messages.error(self.request, str(error))
            return redirect(self.get_edit_url())

    def workflow_action_action(self) -> Any:
        try:
            with transaction.atomic():
                return super().workflow_action_action()
        except SecondApprovalWanted:
            messages.success(self.request, first_word(self.object, who(self.request)))
            return redirect(self.get_edit_url())
        except DigestNotReady as error:
            messages.error(self.request, str(error))
            return redirect(self.get_edit_url())

    def get_success_url(self) -> str:
        if self.action in ("publish", "workflow-action"):
            return reverse("newsletter_digests:overview", args=[self.object.pk])
        url: str = super().get_success_url()
        return url

    def get_success_message(self, instance: Any = None) -> str:
        approved = Digest.objects.filter(pk=self.object.pk, approved_at__isnull=False).exists()
        if self.action in ("publish", "workflow-action") and approved:
            return _("%(digest)s is approved.") % {"digest": self.object}
        said: str = super().get_success_message(instance)
        return said

    def get_available_actions(self) -> list[str]:
        """Publishing also for an editor whose newsletter asks for nobody's approval."""
        actions: list[str] = super().get_available_actions()
        posted = self.request.method == "POST"
        if posted and "publish" not in actions and may_approve(self.request.user, self.object):
            actions.append("publish")
        return actions

    @cached_property
    def content_and_audience(self) -> tuple[DigestContent, Audience]:
        content = content_as_edited(self.object)
        return content, audience_of(self.object.newsletter, content, now=timezone.now())

    def get_side_panels(self) -> Any:
        self.object.reader_modes = reader_modes(*self.content_and_audience)
        return super().get_side_panels()

    @cached_property
    def header_buttons(self) -> list[Any]:
        url = reverse("newsletter_digests:overview", args=[self.object.pk])
        return [HeaderButton(_("Checks and sending"), url=url, icon_name="mail")]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        to = addressees_as_edited(self.object)
        _content, audience = self.content_and_audience
        context["going"] = going_sentence(self.object, audience, to, now=timezone.now())
        context["lead"] = lead_sentence(self.object)
        live = self.live_object
        context["waiting"] = waiting_for_a_second(live) or proposed(live)
        weight = round(mail_weight(self.object) / 1000)
        shown = format_html("<output>{}</output>", weight)
        context.update(weight=weight, weight_shown=shown, full_weight=LARGE // 1000)
        return context


def frozen_message(digest: Digest) -> str:
    if digest.status == Digest.Status.CANCELLED:
        return _("%(digest)s is cancelled. Make a new digest.") % {"digest": digest}
    return _("%(digest)s is approved: its content can no longer change.") % {"digest": digest}


class DigestWorkflowActionView(WorkflowActionView):
    """The same from Wagtail's dashboard, where the moderators' work is listed."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            with transaction.atomic():
                return super().post(request, *args, **kwargs)
        except DigestNotReady as error:
            if isinstance(error, SecondApprovalWanted):
                messages.success(request, first_word(self.object, who(request)))
            else:
                messages.error(request, str(error))
            if request.headers.get("x-requested-with") == "XMLHttpRequest":
                return self.render_modal_json(
                    request, {"step": "success", "redirect": self.redirect_url}
                )
            return redirect(self.redirect_url)


class ApproveMenuItem(PublishMenuItem):
    template_name = "newsletter/admin/digest/approve_item.html"

    def is_shown(self, context: Any) -> bool:
        shown = may_approve(context["request"].user, context.get("instance"))
        return shown and not context.get("locked_for_user")


def arrange_actions(menu_items: list[ActionMenuItem], request: HttpRequest, context: Any) -> None:
    """Calls publishing what it is here, and takes away what a sent mail cannot do."""
    if context.get("model") is not Digest:
        return
    instance = context.get("instance")
    state = instance.current_workflow_state if instance else None
    approve = ApproveMenuItem(order=PublishMenuItem.order)
    menu_items[:] = [item for item in menu_items if not isinstance(item, PublishMenuItem)]
    if instance and approve.is_shown(context):
        approve.label = approve_label(instance)
        menu_items.append(approve)
        menu_items.sort(key=lambda item: item.order)
    by_workflow = False
    for item in menu_items:
        if isinstance(item, WorkflowMenuItem) and item.name == "approve":
            by_workflow = True
            if state and state.is_at_final_task:
                item.label = (
                    _("Approve with a comment") if item.launch_modal else _("Approve for sending")
                )
    unwanted: list[type[ActionMenuItem]] = [UnpublishMenuItem]
    if by_workflow:  # where the workflow asks this person, its button is the one
        unwanted.append(ApproveMenuItem)
    elif instance and instance.newsletter.needed_approvals == 0:
        unwanted.append(SubmitForModerationMenuItem)  # there is nobody to submit it to
    menu_items[:] = [item for item in menu_items if not isinstance(item, tuple(unwanted))]


class NewDigestForm(forms.Form):
    newsletter = forms.ModelChoiceField(
        label=gettext_lazy("Newsletter"),
        queryset=Newsletter.objects.filter(is_active=True),
        empty_label=None,
    )
    slot = forms.DateTimeField(
        label=gettext_lazy("Goes out at"),
        required=False,
        widget=AdminDateTimeInput,
        help_text=gettext_lazy("Empty: the newsletter's next regular time."),
    )


class DigestAddView(generic.base.WagtailAdminTemplateMixin, FormView):
    """Composes a proposal, as the clock would."""

    form_class = NewDigestForm
    template_name = "newsletter/admin/digest/add.html"
    page_title = gettext_lazy("New digest")
    header_icon = "doc-full-inverse"
    model = Digest

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if not request.user.has_perm("newsletter.add_digest"):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            *self.breadcrumbs_items,
            {"url": reverse("newsletter_digests:list"), "label": _("Digests")},
            {"url": "", "label": _("New digest")},
        ]

    def get_initial(self) -> dict[str, Any]:
        """What is composed next: by its name alone an urgent notice may come first."""
        now, regular = timezone.now(), Newsletter.objects.filter(is_active=True)
        slots = [(next_slot(one, now), one) for one in regular]
        coming = [
            (slot, one.pk)
            for slot, one in slots
            if slot and not one.digests.filter(slot=slot).exists()
        ]
        return {"newsletter": min(coming)[1]} if coming else {}

    def form_valid(self, form: NewDigestForm) -> HttpResponse:
        now = timezone.now()
        newsletter: Newsletter = form.cleaned_data["newsletter"]
        slot = form.cleaned_data["slot"] or next_slot(newsletter, now)
        slot = slot or now.replace(second=0, microsecond=0)
        known = newsletter.digests.filter(slot=slot).first()
        digest = compile_digest(newsletter, slot=slot, now=now)
        if known and known.pk == digest.pk:
            messages.info(self.request, _("There was a digest for that time already: here it is."))
        elif digest.status == Digest.Status.SKIPPED:
            messages.warning(self.request, digest.status_reason)
        else:
            messages.success(self.request, _("%(digest)s is composed.") % {"digest": digest})
        return redirect("newsletter_digests:edit", digest.pk)
