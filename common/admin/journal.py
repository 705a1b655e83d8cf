"""The journal as far as its reader sees the subjects, and searched by reference so that a million rows stay quick."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.db.models import CharField, Q, QuerySet, Value
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from common.admin.base import ViewAdmin
from common.admin.lists import ChoiceFilter
from common.admin.site import site
from common.models import JournalEntry


class ActorFilter(ChoiceFilter):
    """A person, a machine or the system."""

    title = _("kind of actor")
    parameter_name = field = "actor_kind"
    values = (("person", _("person")), ("client", _("machine of an agency")), ("system", _("the system")))


class SubjectFilter(ChoiceFilter):
    """The table the row is about; the choices need no look at the journal."""

    title = _("kind of subject")
    parameter_name = field = "subject_type"

    @property
    def values(self) -> list[tuple[str, Any]]:  # type: ignore[override]
        """The tables that a journal row can be about, by name."""
        named = [(label, str(apps.get_model(label)._meta.verbose_name)) for label in site.subjects]
        return sorted(named, key=lambda pair: pair[1])


class JournalAdmin(ViewAdmin):
    """Who did what, when, and what changed."""

    list_display = ("at", "who", "what", "subject_kind", "subject_ref", "reason")
    list_display_links = ("at",)
    fields = ("at", "who", "what", "subject_kind", "subject_ref", "changes", "reason", "request_id")
    readonly_fields = ("who", "what", "subject_kind", "changes")
    list_filter = (ActorFilter, SubjectFilter, ("at", admin.DateFieldListFilter))
    ordering = ("-at", "-id")
    sortable_by = ()
    search_fields = ("subject_ref",)
    search_help_text = _("The whole reference of a record, such as RPT-7K3M9QX or q-leap.")

    def visible(self, user: Any) -> QuerySet[JournalEntry]:
        """This function will return the rows about subjects that this reader sees; of all other tables none."""
        all_of: list[str] = []
        some_of = Q(pk__in=[])
        for label in _recorded(label for label in site.subjects if label != JournalEntry._meta.label_lower):
            rows = site.subjects[label](user).order_by()
            if not rows.query.where:  # no table is read where all of its rows are visible
                all_of.append(label)
            elif not rows.query.is_empty():
                # In this order: a table is read only when a row about it comes up.
                some_of |= Q(subject_type=label) & Q(subject_id__in=rows.values("pk"))
        return JournalEntry.objects.filter(Q(subject_type__in=all_of) | some_of)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[JournalEntry], search_term: str
    ) -> tuple[QuerySet[JournalEntry], bool]:
        """This function will find the record with this reference first: then an index leads to its rows."""
        term = search_term.strip()
        if not term:
            return queryset, False
        subjects = [
            visible(request.user)
            .order_by()
            .filter(ref__in={term, term.upper(), term.lower()})
            .values_list(Value(label, output_field=CharField()), "pk")
            for label, visible in site.subjects.items()
            if any(field.name == "ref" for field in apps.get_model(label)._meta.concrete_fields)
        ]
        wanted = Q(pk__in=[])
        for label, pk in subjects[0].union(*subjects[1:], all=True):
            wanted |= Q(subject_type=label, subject_id=pk)
        return queryset.filter(wanted), False

    def journaled(self, user: Any) -> QuerySet[JournalEntry]:
        """This function will return none: the journal has no journal."""
        return JournalEntry.objects.none()

    @admin.display(description=_("actor"))
    def who(self, entry: JournalEntry) -> str:
        """This function will name the actor."""
        return str(_("the system")) if entry.actor_kind == "system" else entry.actor_label

    @admin.display(description=_("action"))
    def what(self, entry: JournalEntry) -> str:
        """This function will say what was done, in the words of the history pages."""
        return _line(entry).what if site.in_words else entry.action

    @admin.display(description=_("kind of subject"))
    def subject_kind(self, entry: JournalEntry) -> str:
        """This function will name the table."""
        return str(apps.get_model(entry.subject_type)._meta.verbose_name)

    @admin.display(description=_("changes"))
    def changes(self, entry: JournalEntry) -> str:
        """This function will list what changed, one value a line."""
        if not site.in_words:
            return ""
        return "\n".join(f"{change.label}: {change.before} → {change.after}" for change in _line(entry).changes)


def _recorded(labels: Iterable[str]) -> list[str]:
    """The tables about which there are rows at all: an index answers for each."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT label FROM unnest(%s::text[]) AS label"
            " WHERE EXISTS (SELECT FROM common_journalentry WHERE subject_type = label)",
            [list(labels)],
        )
        return [label for (label,) in cursor.fetchall()]


def _line(entry: JournalEntry) -> Any:
    assert site.in_words is not None
    return site.in_words([entry])[0]
