"""Lists of feeds: taken in after a look at what they hold, and given out."""

from __future__ import annotations

from dataclasses import astuple
from typing import Any

from django import forms
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from wagtail.admin import messages

from newsletter.archive.own_feeds import against_own_feeds
from newsletter.desk.feed_adding import FeedAdditionView
from newsletter.exceptions import FeedInvalid
from newsletter.feeds.models import Feed
from newsletter.feeds.opml import (
    LARGEST_FILE,
    Imported,
    Outline,
    add_feeds,
    export_opml,
    read_opml,
    sort_out,
    too_large,
)

SALT = "newsletter.desk.opml"
CHOICE_SECONDS = 24 * 3600
# A box each: Django refuses a form of more than 1,000 fields (DATA_UPLOAD_MAX_NUMBER_FIELDS).
AT_ONCE = 500
SHOWN = 200  # of those that are there already, and of those refused


class OpmlForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("OPML file"),
        help_text=gettext_lazy("Feed readers export their list of feeds as such a file."),
        widget=forms.FileInput(attrs={"accept": ".opml,.xml,text/x-opml,application/xml"}),
    )

    outlines: list[Outline]

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > LARGEST_FILE:
            raise forms.ValidationError(too_large())
        try:
            self.outlines = read_opml(file.read())
        except FeedInvalid as error:
            raise forms.ValidationError(str(error)) from error
        if not self.outlines:
            raise forms.ValidationError(_("There is no feed in this file."))
        return file


class OpmlImportView(FeedAdditionView):
    """First the file, then a box for each feed that would be added; only then is it added."""

    form_class = OpmlForm
    template_name = "newsletter/admin/feed/import.html"
    page_title = gettext_lazy("Import feeds")
    header_icon = "upload"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if "list" in request.POST:
            return self.add_chosen()
        response: HttpResponse = super().post(request, *args, **kwargs)
        return response

    def form_valid(self, form: OpmlForm) -> HttpResponse:
        return self.show(sort_out(form.outlines, against=against_own_feeds()), form=form)

    def show(self, found: Imported, **context: Any) -> HttpResponse:
        offered = found.added[:AT_ONCE]
        return self.render_to_response(
            self.get_context_data(
                found=found,
                offered=offered,
                later=len(found.added) - len(offered),
                known=found.known[:SHOWN],
                refused=found.refused[:SHOWN],
                # The list as it was shown goes along: nothing is kept here meanwhile.
                list=signing.dumps([astuple(one) for one in offered], salt=SALT, compress=True),
                **context,
            )
        )

    def add_chosen(self) -> HttpResponse:
        try:
            rows = signing.loads(self.request.POST["list"], salt=SALT, max_age=CHOICE_SECONDS)
        except signing.BadSignature:
            messages.error(self.request, _("This list is more than a day old: upload it again."))
            return redirect("newsletter_feeds:import")
        ticked = {int(one) for one in self.request.POST.getlist("feed") if one.isdecimal()}
        outlines = [Outline(*row) for row in rows]
        # Somebody may have added some of them since.
        chosen = (one for place, one in enumerate(outlines) if place in ticked)
        found = sort_out(chosen, against=against_own_feeds())
        if not ticked:
            messages.warning(self.request, _("No feed is ticked: nothing was added."))
            return redirect("newsletter_feeds:import")
        add_feeds(found.added, now=timezone.now())
        said = ngettext(
            "%(count)d feed is added, and polled in a moment.",
            "%(count)d feeds are added, and polled one after the other.",
            len(found.added),
        )
        messages.success(self.request, said % {"count": len(found.added)})
        return redirect("newsletter_feeds:index")


def export_view(request: HttpRequest) -> HttpResponse:
    if not request.user.has_perm("newsletter.view_feed"):
        raise PermissionDenied
    body = export_opml(Feed.objects.all(), title="Bollettino")
    name = f"bollettino-{timezone.localdate():%Y-%m-%d}.opml"
    return HttpResponse(
        body,
        content_type="text/x-opml; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
