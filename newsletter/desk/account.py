"""Which of the plugin's mails somebody wants: a part of Wagtail's account page."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _
from wagtail.admin.views.account import BaseSettingsPanel, notifications_tab
from wagtail.admin.widgets import SwitchInput

from newsletter.digests.editors import EditorMail, Notice

# Who gets which: what is never sent to somebody is not offered either.
_PERMISSIONS = {
    Notice.DRAFT_READY: "newsletter.change_digest",
    Notice.SLOT_NEAR: "newsletter.approve_digest",
}


class MailForm(forms.ModelForm):
    class Meta:
        model = EditorMail
        fields = ("draft_ready", "slot_near")
        widgets: ClassVar = {"draft_ready": SwitchInput(), "slot_near": SwitchInput()}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for notice, permission in _PERMISSIONS.items():
            if not self.instance.user.has_perm(permission):
                del self.fields[notice]


class MailPanel(BaseSettingsPanel):
    name = "newsletter_mail"
    title = _("Bollettino: write to me when")
    tab = notifications_tab
    order = 200
    form_class = MailForm

    def is_active(self) -> bool:
        return any(self.user.has_perm(permission) for permission in _PERMISSIONS.values())

    def get_form(self) -> forms.ModelForm:
        mail = EditorMail.objects.filter(user=self.user).first() or EditorMail(user=self.user)
        posted = self.request.POST if self.request.method == "POST" else None
        return MailForm(posted, instance=mail, prefix=self.name)
