"""What every address of the machine's door shares: language, scope, allow-listed parameters, ETag, problems."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.utils import translation
from django.utils.http import parse_etags
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from api.filters import Filter, known_parameters
from api.pagination import Order, page_of, read_page
from api.problems import language_of, not_found
from api.sql_json import SqlSerializer
from api.statements import Shape

Visible = Callable[[Any], QuerySet[Any]]
Search = Callable[[Any, str], QuerySet[Any]]
PAGING = ("cursor", "order", "page_size")


class ApiView(APIView):
    """Errors in the caller's language, whatever raised them; nothing stays in a cache."""

    http_method_names: ClassVar[list[str]] = ["get", "head", "post"]
    scopes: ClassVar[Mapping[str, str]] = {}

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with translation.override(language_of(request)):
            response = super().dispatch(request, *args, **kwargs)
        response.headers["Vary"] = "Accept, Accept-Language, Authorization"
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[Any, str]:
        # What nearly every machine sends; the full search for a renderer takes as long as looking up the token.
        if request._request.headers.get("Accept", "*/*") in ("*/*", "application/json"):
            return JSONRenderer(), "application/json"
        return super().perform_content_negotiation(request, force)

    def handle_exception(self, exc: Exception) -> HttpResponse:
        # The framework answers through renderers; ours writes the problem itself, also when no format was agreed on.
        if isinstance(exc, NotAuthenticated | AuthenticationFailed):
            exc.auth_header = self.get_authenticate_header(self.request)  # type: ignore[union-attr]
        response: HttpResponse = self.get_exception_handler()(exc, self.get_exception_handler_context())
        return response


class NounList(ApiView):
    """A list of one noun: the visible rows, filtered, in a stable order, page by page, written by the database."""

    output: ClassVar[type[SqlSerializer]]
    visible: ClassVar[Visible]
    search: ClassVar[Search | None] = None
    filters: ClassVar[Mapping[str, Filter]] = {}
    orders: ClassVar[dict[str, Order]]

    @classmethod
    def parameters(cls) -> list[str]:
        """This function will return every accepted query parameter."""
        return [*cls.filters, *(["q"] if cls.search else []), *PAGING]

    def get(self, request: Request) -> HttpResponseBase:
        query = request.query_params
        known_parameters(query, frozenset(self.parameters()))
        asked = read_page(query, self.orders)
        shape = Shape(type(self), request.user, self._chosen(query), asked.order, asked.cursor is not None, asked.size)
        found = shape.rows(asked.cursor.key if asked.cursor else None)
        return answer(request, page_of(found, asked).body())

    def _chosen(self, query: QueryDict) -> tuple[tuple[str, Any], ...]:
        known = {**self.filters, "q": Q_FILTER} if type(self).search else self.filters
        return tuple((name, spec.read(name, query[name])) for name, spec in known.items() if name in query)

    @classmethod
    def page_query(
        cls, principal: Any, filters: Sequence[tuple[str, Any]], order: Order, key: Sequence[Any] | None, size: int
    ) -> QuerySet[Any, Any]:
        """This function will return the query of one page: the JSON text of each row and its key, one row too many."""
        chosen = dict(filters)
        words = chosen.pop("q", None)
        rows = cls.visible(principal) if words is None or cls.search is None else cls.search(principal, words)
        rows = rows.filter(**{cls.filters[name].path: value for name, value in chosen.items()})
        if key is not None:
            rows = rows.filter(order.after(key))
        rows = rows.select_related(None).prefetch_related(None).order_by(*order.order_by())
        return rows.values_list(cls.output.json_text(), *order.columns)[: size + 1]


class NounDetail(ApiView):
    """One record by its reference; what is missing and what is out of scope answer alike."""

    output: ClassVar[type[SqlSerializer]]
    visible: ClassVar[Visible]
    ref_schema: ClassVar[Mapping[str, Any]] = {"pattern": "^[A-Za-z0-9_-]+$", "maxLength": 64}

    def get(self, request: Request, ref: str) -> HttpResponseBase:
        known_parameters(request.query_params, frozenset())
        rows = type(self).visible(request.user).select_related(None).prefetch_related(None).order_by()
        text = rows.filter(**self.lookup(ref)).values_list(self.output.json_text(), flat=True).first()
        return answer(request, text.encode()) if text is not None else not_found()

    def lookup(self, ref: str) -> dict[str, Any]:
        """This function will return the filter that finds the record by the reference in the address."""
        return {"ref": ref}


class Nowhere(ApiView):
    """Every address that the API does not have."""

    authentication_classes: ClassVar[list[type]] = []
    permission_classes: ClassVar[list[type]] = []
    throttle_classes: ClassVar[list[type]] = []

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with translation.override(language_of(request)):
            return not_found()


Q_FILTER = Filter("", "Every word must occur in the names; substrings, also in Japanese.")


def answer(request: Request, body: bytes) -> HttpResponse:
    """This function will answer with JSON and its ETag, or 304 when the caller has it already."""
    etag = f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
    known = parse_etags(request.headers.get("If-None-Match", ""))
    # A proxy that compresses may have made the tag weak.
    if "*" in known or etag in (tag.removeprefix("W/") for tag in known):
        return HttpResponse(status=304, headers={"ETag": etag})
    return HttpResponse(body, content_type="application/json", headers={"ETag": etag})
