"""Two kinds of admin: one that shows, one that saves a look-up and records it. Nothing deletes."""

from __future__ import annotations

from typing import Any, NoReturn

from django.contrib import admin, messages
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from common.admin.forms import DayField, RecordedForm, told, values_of
from common.admin.lists import BoundedPaginator, List, allowed_lookups
from common.admin.site import site
from common.audit import history_of, record
from common.errors import Refused
from common.search import matches

HISTORY_SHOWN = 200
#: By these a record belongs to a program, a project or a person: a sample there makes the record a sample.
OWNERS = (
    "project", "program", "area", "indicator", "report", "headquarters", "director", "officer", "concept", "person",
    "organization",
)  # fmt: skip
#: Never typed in the admin: states have moves, the sample mark has its builder, both columns of search are computed.
NEVER_TYPED = ("state", "is_sample")


def is_sample(row: Any, *, read: bool = True) -> bool:
    """This function will tell whether a record is a sample or hangs on one; without `read` from what is loaded only."""
    if hasattr(row, "is_sample"):
        return bool(row.is_sample)
    names = [name for name in OWNERS if hasattr(type(row), name) and (read or name in row._state.fields_cache)]
    return any(is_sample(owner, read=read) for name in names if (owner := getattr(row, name)) is not None)


class ViewAdmin(admin.ModelAdmin):
    """Shows the rows its reader may see; changes nothing."""

    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    list_max_show_all = 0
    paginator = BoundedPaginator
    view_on_site = False
    #: The 2-gram column, where the table has one.
    grams = ""

    # What the reader sees ---------------------------------------------------------------------------------------------

    def visible(self, user: Any) -> models.QuerySet[Any]:
        """This function will return the rows that this reader sees; none unless a class says which."""
        return self.model._default_manager.none()

    def journaled(self, user: Any) -> models.QuerySet[Any]:
        """This function will return the rows whose journal this reader sees: those that are visible."""
        return self.visible(user)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """This function will return the visible rows in the list's order."""
        rows = self.visible(request.user)
        ordering = self.get_ordering(request)
        return rows.order_by(*ordering) if ordering else rows

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """This function will find a visible row; locked while a form is saved, so that two people take turns."""
        field: Any = self.opts.pk if from_field is None else self.opts.get_field(from_field)
        rows = self.get_queryset(request)
        if request.method == "POST":
            rows = rows.select_for_update(of=("self",))
        elif self.list_select_related:
            rows = rows.select_related(*self.list_select_related)  # type: ignore[misc]
        try:
            return rows.get(**{field.name: field.to_python(object_id)})
        except (self.model.DoesNotExist, ValidationError, ValueError):
            return None

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> NoReturn:
        # Hidden and missing answer alike.
        raise Http404

    # What the reader may do -------------------------------------------------------------------------------------------

    def has_module_permission(self, request: HttpRequest) -> bool:
        """This function will show the app to everybody who gets in."""
        return self.admin_site.has_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """This function will let everybody who gets in look; which rows, the queryset says."""
        return self.admin_site.has_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """This function will answer no."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """This function will answer no."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """This function will answer no: nothing is deleted, nowhere."""
        return False

    def get_urls(self) -> list[Any]:
        """This function will leave out the address that deletes."""
        return [pattern for pattern in super().get_urls() if not str(pattern.name or "").endswith("_delete")]

    # Lists ------------------------------------------------------------------------------------------------------------

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[List]:
        """This function will return the list that counts only so far."""
        return List

    def get_changelist_instance(self, request: HttpRequest) -> List:
        """This function will build the list. A value or page that it does not know is a 400."""
        try:
            return super().get_changelist_instance(request)  # type: ignore[return-value]
        except IncorrectLookupParameters as problem:
            raise DisallowedModelAdminLookup("unknown value or page of a list") from problem

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """This function will show the list, marked when a sample is in it."""
        response = super().changelist_view(request, extra_context)
        listed = getattr(response, "context_data", {}).get("cl")
        if listed is not None:
            response.context_data["is_sample"] = any(is_sample(row, read=False) for row in listed.result_list)  # type: ignore[attr-defined]
        return response

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """This function will allow only what the list's own filters write; anything else is a 400."""
        filters = self.get_list_filter(request) if request else self.list_filter
        return "\0" not in value and lookup in allowed_lookups(self.model, filters, self.date_hierarchy)

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Any], search_term: str
    ) -> tuple[models.QuerySet[Any], bool]:
        """This function will search by the 2-gram column where there is one."""
        if not self.grams:
            return super().get_search_results(request, queryset, search_term)
        return queryset.filter(matches(search_term)) if search_term.strip() else queryset, False

    # Pages ------------------------------------------------------------------------------------------------------------

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """This function will show a record, marked when it is a sample, with the way to its history if that is open."""
        row = self.get_object(request, object_id) if object_id and request.method == "GET" else None
        context = {"is_sample": is_sample(row), "has_history": self._is_told(request, row)} if row else {}
        return super().changeform_view(request, object_id, form_url, {**context, **(extra_context or {})})

    def _is_told(self, request: HttpRequest, row: Any) -> bool:
        return self.journaled(request.user).filter(pk=row.pk).exists()

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """This function will show the record's rows of the journal in words."""
        row = self.get_object(request, object_id)
        if row is None or not self._is_told(request, row):
            raise Http404
        in_words = site.in_words
        entries = history_of(row)[:HISTORY_SHOWN]
        context = {
            **self.admin_site.each_context(request),
            "title": _("History: %(record)s") % {"record": row},
            "lines": in_words(entries) if in_words else [],
            "limit": HISTORY_SHOWN,
            "object": row,
            "opts": self.opts,
            "is_sample": is_sample(row),
        }
        return TemplateResponse(request, "admin/object_history.html", context)

    # Django's own log stays empty: the journal tells.

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """This function will write nothing."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """This function will write nothing."""


class ActionAdmin(ViewAdmin):
    """Changes a look-up: by an action, or by saving the row and recording what changed."""

    form = RecordedForm
    formfield_overrides = {models.DateField: {"form_class": DayField}}
    #: Typed once, when the row is made.
    fixed: tuple[str, ...] = ()
    #: As in `RecordedForm`.
    constraint_words: dict[str, tuple[str, Any]] = {}

    def writable(self, user: Any) -> models.QuerySet[Any]:
        """This function will return the rows this person may change, among the visible ones."""
        return self.visible(user)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """This function will let those add who may change look-ups."""
        return self.admin_site.has_permission(request) and site.may_change(request.user)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """This function will let those change who may change look-ups, and this row."""
        if not self.has_add_permission(request) or obj is None:
            return self.has_add_permission(request)
        asked = request.__dict__.setdefault("writable", {})  # one page asks several times
        if (self.model, obj.pk) not in asked:
            asked[self.model, obj.pk] = self.writable(request.user).filter(pk=obj.pk).exists()
        return bool(asked[self.model, obj.pk])

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """This function will add the reason, and the seal of what was seen, where something can be saved."""
        fields = list(self.fields or [])
        if obj is None or self.has_change_permission(request, obj):
            return [*fields, "reason", *(["seen"] if obj else [])]
        return fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """This function will keep fixed whatever is typed only once, and states always."""
        return [*self.readonly_fields, *NEVER_TYPED, *(self.fixed if obj else ())]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """This function will return the form, knowing what the action said at the first try."""
        made = super().get_form(request, obj, change, **kwargs)
        added = {"refusal": getattr(request, "refusal", None), "constraint_words": self.constraint_words}
        return type(made.__name__, (made,), added)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """This function will offer, and take, only related rows that `related` names."""
        kwargs.setdefault("queryset", self.related(db_field, request.user))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def related(self, field: Any, user: Any) -> models.QuerySet[Any]:
        """This function will return the rows a field may point at: those its reader sees."""
        return site.visible(field.remote_field.model, user)

    # Saving -----------------------------------------------------------------------------------------------------------

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """This function will show the form again, with what was typed, when the action refuses."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except (Refused, ValidationError, IntegrityError) as refusal:
            request.refusal = _as_refusal(refusal)  # type: ignore[attr-defined]
            return super().changeform_view(request, object_id, form_url, extra_context)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """This function will add or change by what the class says, at the instant the request came in."""
        how = {"by": request.user, "at": request.received_at}  # type: ignore[attr-defined]
        reason = form.cleaned_data.get("reason", "")
        if not change:
            adopt(obj, self.add(obj, form.cleaned_data, reason=reason, **how))
        elif changed := [name for name in form.changed_data if name in form.before]:
            self.change(obj, form.before, changed, reason=reason, **how)

    def add(self, obj: Any, typed: dict[str, Any], *, reason: str, by: Any, at: Any) -> Any:
        """This function will save a new row and record it; `typed` is what stood in the form."""
        obj.save()
        after = {name: told(obj, name, value) for name, value in values_of(obj).items() if value not in (None, "", [])}
        record("add_record", obj, by=by, at=at, after=after, reason=reason)
        return obj

    def change(self, obj: Any, before: dict[str, Any], changed: list[str], *, reason: str, by: Any, at: Any) -> None:
        """This function will save the changed columns and record before and after."""
        now = values_of(obj)
        names = [name for name in changed if before[name] != now[name]]
        if not names:
            return
        obj.save(update_fields=names)
        record(
            "change_record", obj, by=by, at=at, reason=reason,
            before={name: told(obj, name, before[name]) for name in names},
            after={name: told(obj, name, now[name]) for name in names},
        )  # fmt: skip

    # Acts beside saving -----------------------------------------------------------------------------------------------

    def attempt(self, request: HttpRequest, act: Any, done: str) -> None:
        """This function will do an act and say how it ended."""
        try:
            act()
        except Refused as refusal:
            for blocker in refusal.blockers:
                self.message_user(request, blocker.message, messages.ERROR)
        else:
            self.message_user(request, done, messages.SUCCESS)

    def posted_row(self, request: HttpRequest, pk: int) -> Any:
        """This function will find the row of a button that was pressed. Raises Http404 or PermissionDenied."""
        row = self.visible(request.user).filter(pk=pk).first()
        if row is None:
            raise Http404
        if request.method != "POST" or not self.has_change_permission(request, row):
            raise PermissionDenied
        return row

    def back_to(self, row: Any) -> HttpResponseRedirect:
        """This function will return to the record's page."""
        return HttpResponseRedirect(
            reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[row.pk])
        )


def adopt(obj: Any, saved: Any) -> None:
    """This function will make the form's instance the row that the action saved."""
    if obj is saved:
        return
    for field in obj._meta.concrete_fields:
        if not field.generated:
            setattr(obj, field.attname, getattr(saved, field.attname))
    obj._state.adding = False


def _as_refusal(problem: Exception) -> Exception:
    if not isinstance(problem, IntegrityError):
        return problem
    return Refused(
        _("The database does not take these values: sample and real records do not mix, and some things exist once.")
    )
