"""Lists that stay fast on a million rows: a bounded count, filters without a look at the table, an allow-list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db import models
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from common.admin.site import site

#: As far as a list counts and pages; whoever needs more narrows it.
COUNTED = 10_000
CHOICES_SHOWN = 200


class BoundedPaginator(Paginator):
    """Counts no further than `COUNTED`, so that neither the count nor the last page reads a whole table."""

    @cached_property
    def count(self) -> int:
        """This function will count rows, at most `COUNTED`."""
        rows: Any = self.object_list
        return int(rows.order_by()[:COUNTED].count())


class List(ChangeList):
    """A page of rows; says how many there are as far as it counts."""

    @property
    def counted(self) -> str:
        """This function will say how many rows the list has, or that it goes on beyond what it counts."""
        words = _("%(count)s or more: narrow the list by search or filter.") if self.is_cut else _("%(count)s rows")
        return words % {"count": f"{self.result_count:,}"}

    @property
    def is_cut(self) -> bool:
        """Whether there may be more rows than the list counts."""
        return self.result_count >= COUNTED


class VisibleFilter(admin.RelatedFieldListFilter):
    """Choices are the rows that the reader sees in their own admin; never those of hidden ones."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        """This function will list the visible related rows."""
        visible = site.visible(field.remote_field.model, request.user)
        return [(row.pk, str(row)) for row in visible[:CHOICES_SHOWN]]


class ChoiceFilter(admin.SimpleListFilter):
    """A filter with fixed choices: `choices` are (value, label), `field` is the column it compares."""

    field = ""
    values: Iterable[tuple[str, Any]] = ()

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """This function will return the fixed choices."""
        return [(value, str(label)) for value, label in self.values]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """This function will narrow by the chosen value; an unknown one finds nothing."""
        if self.value() is None:
            return queryset
        if self.value() not in {value for value, _label in self.values}:
            return queryset.none()
        return queryset.filter(**{self.field: self.value()})


def allowed_lookups(model: type[models.Model], filters: Iterable[Any], date_hierarchy: str | None) -> set[str]:
    """This function will return the only parameters by which a list may be narrowed: those its own filters write."""
    allowed: set[str] = set()
    for one in filters:
        if isinstance(one, type):
            allowed.add(one.parameter_name)  # type: ignore[attr-defined]
            continue
        path = one[0] if isinstance(one, tuple) else one
        field = _field(model, path)
        allowed.add(f"{path}__isnull")
        if field.is_relation:
            allowed.add(f"{path}__id__exact")
        elif isinstance(field, models.DateField):
            allowed |= {f"{path}__gte", f"{path}__lt"}
        else:
            allowed.add(f"{path}__exact")
    if date_hierarchy:
        allowed |= {f"{date_hierarchy}__{part}" for part in ("year", "month", "day", "gte", "lt")}
    return allowed


def _field(model: type[models.Model], path: str) -> Any:
    field: Any = None
    for part in path.split("__"):
        field = model._meta.get_field(part)
        if field.is_relation:
            model = field.remote_field.model
    return field
