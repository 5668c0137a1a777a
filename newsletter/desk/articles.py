"""An article's page: the original beside the editors' own words and themes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.urls import path
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.forms.choosers import BaseFilterForm, SearchFilterMixin
from wagtail.admin.forms.models import WagtailAdminModelForm
from wagtail.admin.panels import FieldPanel, ObjectList
from wagtail.admin.ui.tables import Column, DateColumn
from wagtail.admin.views import generic
from wagtail.admin.views.generic import chooser
from wagtail.admin.viewsets.chooser import ChooserViewSet

from newsletter.articles.models import Article
from newsletter.desk.article_past import accepted_text, change_to_show, events
from newsletter.desk.evidence import chip, explain, marked, marked_title
from newsletter.desk.history import note
from newsletter.desk.inbox import InboxView, triage_view, undo_view
from newsletter.desk.listing import found_by
from newsletter.desk.pictures import without_pictures
from newsletter.desk.reading import ReadView, retag_view
from newsletter.desk.stories import doubts_of, with_stories
from newsletter.desk.story_views import keep_apart_view, merge_view, split_view, undo_story_view
from newsletter.desk.theme_teaching import MAY_TEACH
from newsletter.desk.triage import MAY_TRIAGE
from newsletter.desk.viewset import DeskViewSet
from newsletter.feeds.models import Feed
from newsletter.themes.models import Theme, ThemeAssignment
from newsletter.themes.tagging import set_themes


class ThemesField(forms.ModelMultipleChoiceField):
    """Every theme with a box; beside a suggested one, why it was suggested."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(queryset=Theme.objects.active(), required=False, **kwargs)
        self.reasons: dict[int, str] = {}

    def label_from_instance(self, theme: Any) -> SafeString:
        reason = self.reasons.get(theme.pk, "")
        return format_html(
            '{} {} <span class="desk-why">{}</span>', theme.glyph_text, theme.local_name, reason
        )


class ArticleForm(WagtailAdminModelForm):
    themes = ThemesField(label=gettext_lazy("Themes"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        article = self.instance
        self.fields["editor_title"].widget.attrs["placeholder"] = article.title
        self.fields["editor_excerpt"].widget.attrs["placeholder"] = article.excerpt
        field = self.fields["themes"]
        standing = list(
            ThemeAssignment.objects.standing().filter(article=article).select_related("theme")
            if article.pk
            else []
        )
        field.reasons = {found.theme_id: explain(found) for found in standing}
        # The labels are made from the reasons, which have only just come.
        field.choices = field.choices
        self.initial["themes"] = [found.theme_id for found in standing]


class ArticleEditView(generic.EditView):
    def get_page_subtitle(self) -> str:
        return self.object.display_title

    def save_instance(self) -> Article:
        article: Article = super().save_instance()
        if "themes" in self.form.changed_data:
            chosen = [theme.pk for theme in self.form.cleaned_data["themes"]]
            now = timezone.now()
            set_themes(article.pk, chosen, by=self.request.user, now=now)
            note([article.pk], "newsletter.retag", by=self.request.user, now=now)
        return article

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        article = self.object
        context["sightings"] = article.sightings.select_related("feed").order_by("first_seen_at")
        standing = article.assignments.standing().select_related("theme")
        chips = [chip(one, number) for number, one in enumerate(standing, start=1)]
        context["chips"] = chips
        context["title"] = marked_title(article.title, chips, article.language)
        context["body"] = without_pictures(marked(article.body_html, chips, article.language))
        context["may_teach"] = self.request.user.has_perm(MAY_TEACH)
        context["shown_in_full"] = bool(article.feed and article.feed.rights == Feed.Rights.FULL)
        context["events"] = events(article)
        context["change"] = change_to_show(article, self.request.GET.get("edit", ""))
        context["changed_since"] = accepted_text(article)
        context["may_triage"] = self.request.user.has_perm(MAY_TRIAGE)
        context["here"] = self.request.path
        with_stories([self.object])
        context["doubts"] = doubts_of(self.object)
        return context


class ArticleViewSet(DeskViewSet):
    model = Article
    name = "newsletter_articles"
    url_prefix = "bollettino/articles"
    icon = "mail"
    menu_label = gettext_lazy("Inbox")
    menu_name = "newsletter-inbox"
    index_view_class = InboxView
    edit_view_class = ArticleEditView
    edit_template_name = "newsletter/admin/article/edit.html"
    index_template_name = InboxView.template_name
    index_results_template_name = InboxView.results_template_name
    list_per_page = 40
    without = ("add", "usage")

    @cached_property
    def menu_url(self) -> str:
        return f"{super().menu_url}?state=new"

    @cached_property
    def edit_handler(self) -> ObjectList:
        return ObjectList(
            [
                FieldPanel("editor_title"),
                FieldPanel("editor_excerpt"),
                FieldPanel(
                    "note", help_text=gettext_lazy("A line of your own, set apart in the digest.")
                ),
                FieldPanel("image_alt"),
                FieldPanel("themes"),
            ],
            base_form_class=ArticleForm,
        )

    def get_urlpatterns(self) -> list[Any]:
        return [
            *super().get_urlpatterns(),
            path("read/<int:pk>/", self.construct_view(ReadView), name="read"),
            path("retag/", retag_view, name="retag"),
            path("triage/", triage_view, name="triage"),
            path("undo/", undo_view, name="undo"),
            path("story/merge/", merge_view, name="merge"),
            path("story/split/", split_view, name="split"),
            path("story/apart/", keep_apart_view, name="keep_apart"),
            path("story/undo/", undo_story_view, name="undo_story"),
        ]


class ArticleSearchForm(SearchFilterMixin, BaseFilterForm):
    """Finds words of the text too, as the inbox does; Wagtail's own looks at titles alone."""

    def filter(self, objects: Any) -> Any:
        words = self.cleaned_data.get("q", "").strip()
        if not words:
            return objects
        self.is_searching, self.search_query = True, words
        return found_by(objects, words)


class ArticleChooseMixin:
    """Accepted articles only, latest first, with what helps to choose."""

    ordering = ("-listed_at", "-id")
    filter_form_class = ArticleSearchForm

    def get_object_list(self) -> Any:
        return Article.objects.accepted().select_related("feed")

    @property
    def columns(self) -> list[Column]:
        return [
            *super().columns,  # type: ignore[misc]
            Column("source", label=_("Source"), accessor="source_name"),
            DateColumn("listed_at", label=_("Date"), width="16%"),
        ]


class ArticleChooseView(ArticleChooseMixin, chooser.ChooseView):
    pass


class ArticleChooseResultsView(ArticleChooseMixin, chooser.ChooseResultsView):
    pass


class ArticleChooserViewSet(ChooserViewSet):
    model = Article
    icon = "mail"
    choose_one_text = gettext_lazy("Choose an article")
    choose_another_text = gettext_lazy("Choose another article")
    edit_item_text = gettext_lazy("Edit this article")
    choose_view_class = ArticleChooseView
    choose_results_view_class = ArticleChooseResultsView
    per_page = 15
