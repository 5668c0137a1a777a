"""What the desk's lists have in common."""

from __future__ import annotations

from typing import Any, ClassVar

from wagtail.admin.viewsets.model import ModelViewSet


class DeskViewSet(ModelViewSet):
    # Screens of Wagtail's that mean nothing for this model: their addresses do not exist.
    without: ClassVar[tuple[str, ...]] = ("usage",)
    copy_view_enabled = False
    add_to_reference_index = False
    list_per_page = 50
    index_results_template_name = "newsletter/admin/results.html"

    def get_urlpatterns(self) -> list[Any]:
        gone = {*self.without, *(f"{name}_results" for name in self.without)}
        return [one for one in super().get_urlpatterns() if one.name not in gone]

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        common: dict[str, Any] = super().get_common_view_kwargs(**kwargs)
        return common | {f"{name}_url_name": None for name in self.without}
