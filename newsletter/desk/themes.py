"""Themes: their words, their sign and colour, and how many articles each has."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Count, Q, QuerySet
from django.http import HttpResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.forms.models import WagtailAdminModelForm
from wagtail.admin.panels import FieldPanel, MultiFieldPanel, ObjectList
from wagtail.admin.ui.tables import BaseColumn, BooleanColumn, Column
from wagtail.admin.views import generic
from wagtail.admin.widgets.button import HeaderButton

from newsletter.desk.address_field import NamePanel, slug_panel
from newsletter.desk.drawings import drawings
from newsletter.desk.theme_page import ThemePage, accept_view
from newsletter.desk.theme_teaching import teach_view, unteach_view
from newsletter.desk.theme_words import LooksFirst
from newsletter.desk.viewset import DeskViewSet
from newsletter.signals import errands_wanted
from newsletter.themes.decisions import decided_of
from newsletter.themes.models import Theme, ThemeAssignment
from newsletter.themes.quality import Decided
from newsletter.themes.retagging import count_due


class NameColumn(BaseColumn):
    cell_template_name = "newsletter/admin/theme/name.html"

    def get_cell_context_data(self, instance: Theme, parent_context: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_cell_context_data(instance, parent_context)
        context["url"] = reverse("newsletter_themes:inspect", args=[instance.pk])
        return context


class ArticlesColumn(BaseColumn):
    cell_template_name = "newsletter/admin/theme/articles.html"


class ShareColumn(BaseColumn):
    """Precision or recall, from one query for the page."""

    cell_template_name = "newsletter/admin/theme/share_cell.html"

    def __init__(self, *args: Any, decided: dict[int, Decided], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.decided = decided

    def get_cell_context_data(self, instance: Theme, parent_context: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_cell_context_data(instance, parent_context)
        found = self.decided.get(instance.pk, Decided())
        return context | {"share": getattr(found, self.name)}


class ThemeIndexView(generic.IndexView):
    @cached_property
    def decided(self) -> dict[int, Decided]:
        return decided_of(Theme.objects.values_list("pk", flat=True))

    def share_column(self, name: str, label: str) -> ShareColumn:
        return ShareColumn(name, label=label, classname="desk-wide", decided=self.decided)

    def get_base_queryset(self) -> QuerySet:
        standing = ~Q(assignments__decision=ThemeAssignment.Decision.REJECTED)
        return Theme.objects.annotate(articles=Count("assignments", filter=standing))

    @cached_property
    def columns(self) -> list[BaseColumn]:
        return [
            NameColumn("name", label=_("Theme"), sort_key="name"),
            Column(
                "keywords",
                label=_("Keywords"),
                classname="desk-wide",
                accessor=lambda theme: len(theme.keywords.splitlines()),
            ),
            ArticlesColumn("articles", label=_("Articles"), sort_key="articles"),
            self.share_column("precision", _("Precision")),
            self.share_column("recall", _("Recall")),
            BooleanColumn("is_active", label=_("In use"), sort_key="is_active"),
        ]


class ThemeForm(WagtailAdminModelForm):
    glyph = forms.ChoiceField(
        label=gettext_lazy("Drawing"),
        choices=drawings,
        required=False,
        help_text=gettext_lazy("It stands beside the theme's name in the archive."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["slug"].label = _("Name in web addresses")
        self.fields["slug"].help_text = _(
            "How it is called in the addresses of its pages. Changed later, old links end."
        )


class RetagsAfterwards:
    """Saved words reach the stored articles at once, where a worker hears the bell."""

    def form_valid(self, form: Any) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)  # type: ignore[misc]
        count_due(now=timezone.now())  # from this moment on they are due
        errands_wanted.send_robust(sender=Theme)
        return response


class ThemeAddView(LooksFirst, RetagsAfterwards, generic.CreateView):
    pass


class ThemeEditView(LooksFirst, RetagsAfterwards, generic.EditView):
    @cached_property
    def header_buttons(self) -> list[Any]:
        return [HeaderButton(_("How good it is"), url=self.get_inspect_url(), icon_name="view")]

    def stored(self) -> Theme:
        theme: Theme = self.get_object()
        return theme

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {"waiting": count_due(now=timezone.now())}


class ThemeViewSet(DeskViewSet):
    model = Theme
    name = "newsletter_themes"
    url_prefix = "bollettino/themes"
    icon = "tag"
    menu_label = gettext_lazy("Themes")
    menu_name = "newsletter-themes"
    index_view_class = ThemeIndexView
    add_view_class = ThemeAddView
    edit_view_class = ThemeEditView
    inspect_view_class = ThemePage
    inspect_template_name = ThemePage.template_name
    inspect_view_enabled = True
    create_template_name = edit_template_name = "newsletter/admin/theme/edit.html"
    ordering = ("sort_order", "name")
    list_filter = ["is_active"]
    search_fields = ["name", "name_en", "keywords"]
    search_backend_name = None
    sort_order_field = None

    @cached_property
    def edit_handler(self) -> ObjectList:
        return ObjectList(
            [
                MultiFieldPanel(
                    [
                        NamePanel(),
                        FieldPanel("name_en"),
                        slug_panel(),
                        FieldPanel("description"),
                    ],
                    heading=gettext_lazy("Name"),
                ),
                MultiFieldPanel(
                    [
                        FieldPanel("glyph"),
                        FieldPanel("glyph_text"),
                        FieldPanel("colour", widget=forms.TextInput(attrs={"type": "color"})),
                        FieldPanel("sort_order"),
                        FieldPanel("is_active"),
                    ],
                    heading=gettext_lazy("Look and place"),
                ),
                MultiFieldPanel(
                    [
                        FieldPanel("keywords", widget=forms.Textarea(attrs={"rows": 12})),
                        FieldPanel("exclusions", widget=forms.Textarea(attrs={"rows": 4})),
                        FieldPanel("feed_categories", widget=forms.Textarea(attrs={"rows": 4})),
                        FieldPanel("accept_automatically"),
                    ],
                    heading=gettext_lazy("How articles get it"),
                ),
            ],
            base_form_class=ThemeForm,
        )

    def get_urlpatterns(self) -> list[Any]:
        return [
            *super().get_urlpatterns(),
            path("<int:pk>/accept/", accept_view, name="accept"),
            path("teach/", teach_view, name="teach"),
            path("teach/undo/", unteach_view, name="unteach"),
        ]
