"""Adding a feed: an address is looked at before it is kept, as its posts would look here."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import FormView
from wagtail.admin import messages
from wagtail.admin.views import generic

from newsletter.archive.own_feeds import against_own_feeds
from newsletter.articles.trial import Trial, try_out
from newsletter.desk.pictures import without_pictures
from newsletter.digests.wording import shorten
from newsletter.exceptions import FeedError
from newsletter.feeds.discovery import Found, discover_all
from newsletter.feeds.models import Feed
from newsletter.themes.models import Theme
from newsletter.themes.tagging import suggest

# Of the patience of somebody who sees that it is being looked at; a slow blog is added by its
# feed's own address, or by the command.
LOOK_SECONDS = 8.0
SAMPLES = 5
FIRST_WORDS = 240
# The cleaned text is shown whole: a post of 500 KB five times over would be no preview.
LONGEST_TEXT = 60_000


class NewFeedForm(forms.Form):
    """The address, which is fetched; then, with what came before one's eyes, the choices."""

    url = forms.URLField(
        label=gettext_lazy("Address of the feed or of the blog"),
        max_length=1000,
        assume_scheme="https",
        error_messages={
            "invalid": gettext_lazy("Write the whole address, such as https://blog.example/feed/.")
        },
        widget=forms.URLInput(attrs={"placeholder": "https://blog.example/feed/"}),
    )
    auto_accept = forms.BooleanField(
        label=gettext_lazy("Accept automatically"),
        required=False,
        help_text=gettext_lazy("For a blog of your own: its posts skip the inbox."),
    )
    rights = forms.ChoiceField(
        label=gettext_lazy("What may be shown"),
        choices=Feed.Rights.choices,
        initial=Feed.Rights.EXCERPT,
        required=False,
        widget=forms.RadioSelect,
        help_text=gettext_lazy("Full text only where you wrote it or may reproduce it."),
    )

    found: tuple[Found, ...] = ()

    def clean_rights(self) -> str:
        return self.cleaned_data["rights"] or Feed.Rights.EXCERPT.value

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        # Before it is asked: a site that waits for its own answer may wait in vain.
        why_not = against_own_feeds()
        if reason := why_not(url):
            raise forms.ValidationError(reason)
        try:
            found = discover_all(url, seconds=LOOK_SECONDS)
        except FeedError as error:
            raise forms.ValidationError(str(error)) from error
        own = [why_not(one.url) or why_not(one.fetched.url) for one in found]
        if all(own):
            raise forms.ValidationError(own[0])
        found = tuple(one for one, reason in zip(found, own, strict=True) if not reason)
        there = set(
            Feed.objects.filter(url__in=[one.url for one in found]).values_list("url", flat=True)
        )
        self.found = tuple(one for one in found if one.url not in there)
        if not self.found:
            raise forms.ValidationError(_("This feed is already in the list."))
        return self.found[0].url if len(found) == 1 else url


class FeedAdditionView(generic.base.WagtailAdminTemplateMixin, FormView):
    """A page below the list of feeds for those who may add to it."""

    model = Feed

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if not request.user.has_perm("newsletter.add_feed"):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            *self.breadcrumbs_items,
            {"url": reverse("newsletter_feeds:index"), "label": _("Feeds")},
            {"url": "", "label": self.page_title},
        ]


class FeedAddView(FeedAdditionView):
    """Three steps on one page: the address, which of the site's feeds, what it would bring."""

    form_class = NewFeedForm
    template_name = "newsletter/admin/feed/add.html"
    page_title = gettext_lazy("Add a feed")
    header_icon = "rotate"

    def form_valid(self, form: NewFeedForm) -> HttpResponse:
        if len(form.found) > 1:
            return self.render_to_response(self.get_context_data(form=form, offers=form.found))
        (found,) = form.found
        # What was checked must be what is saved: another address is checked again first.
        if self.request.POST.get("checked") != found.url:
            shown = self.request.POST.copy()
            shown["url"] = found.url
            shown.setdefault("rights", Feed.Rights.EXCERPT)
            form.data = shown
            return self.render_to_response(self.get_context_data(form=form, found=found))
        return self.add(found, form.cleaned_data)

    def add(self, found: Found, choices: dict[str, Any]) -> HttpResponse:
        feed = Feed.objects.create(
            url=found.url,
            title=found.parsed.title[:255],
            site_url=found.parsed.site_url[:1000],
            language=found.parsed.language[:10],
            auto_accept=choices["auto_accept"],
            rights=choices["rights"],
            next_poll_at=timezone.now(),
        )
        messages.success(
            self.request, _("“%(feed)s” is added: its posts come in a moment.") % {"feed": feed}
        )
        return redirect("newsletter_feeds:inspect", feed.pk)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        if found := kwargs.get("found"):
            trial = try_out(found.parsed, url=found.url, count=SAMPLES)
            context |= {
                "checked": found.url,
                "parsed": found.parsed,
                "trial": trial,
                "samples": preview(trial),
            }
        return context


def preview(trial: Trial) -> list[dict[str, Any]]:
    names = {theme.pk: theme for theme in Theme.objects.active()}
    rows = []
    for sample in trial.samples:
        made = sample.made
        themes = suggest(made.title, made.body_text or made.excerpt, made.language, made.categories)
        rows.append(
            {
                "made": made,
                "known": sample.known,
                "whole": sample.whole,
                "words": shorten(made.excerpt or made.body_text, FIRST_WORDS),
                "text": ""
                if len(made.body_html) > LONGEST_TEXT
                else without_pictures(made.body_html),
                "themes": [names[one.theme_id] for one in themes if one.theme_id in names],
            }
        )
    return rows
