"""The OpenAPI document: drawn from the same fields, filters and orders that answer."""

from __future__ import annotations

from inspect import getdoc
from typing import Any

from django.utils import translation
from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, inline_serializer
from rest_framework import serializers

from api.pagination import MAX_PAGE_SIZE, PAGE_SIZE
from api.problems import CONTENT_TYPE, TITLES
from api.scopes import SCOPES
from api.views import Q_FILTER, NounDetail, NounList

LIST_PROBLEMS = (400, 401, 403, 406, 429, 500)
RECORD_PROBLEMS = (*LIST_PROBLEMS, 404)


class BlockerOut(serializers.Serializer):
    field = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()


class ProblemOut(serializers.Serializer):
    code = serializers.CharField(help_text="For programs; never changes")
    title = serializers.CharField(help_text="The kind of problem, in the language of Accept-Language (ja or en)")
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="What to do, in the language of Accept-Language (ja or en)")
    blockers = BlockerOut(many=True, help_text="Everything that stands in the way, field by field")


def problems(*statuses: int) -> dict[Any, OpenApiResponse]:
    """This function will return the error answers of an operation; all have one shape."""
    with translation.override("en"):
        return {
            (status, CONTENT_TYPE): OpenApiResponse(ProblemOut, description=str(TITLES[status])) for status in statuses
        }


class ApiSchema(AutoSchema):
    """Reads our generic views; a view of its own kind is described with `extend_schema`."""

    def get_override_parameters(self) -> list[Any]:
        given = super().get_override_parameters()
        view = self.view
        if self.method != "GET" or not isinstance(view, NounList | NounDetail):
            return given
        etag = OpenApiParameter(
            "If-None-Match", str, OpenApiParameter.HEADER, description="ETag of an earlier answer: 304 if unchanged"
        )
        if isinstance(view, NounDetail):
            ref = OpenApiParameter("ref", {"type": "string", **view.ref_schema}, OpenApiParameter.PATH)
            return [ref, etag]
        return [*_filters(view), *_paging(view), etag]

    def get_response_serializers(self) -> Any:
        view = self.view
        if self.method != "GET" or not isinstance(view, NounList | NounDetail):
            return super().get_response_serializers()
        output: Any = view.output()
        if isinstance(view, NounList):
            output = inline_serializer(
                name=view.output.__name__.removesuffix("Out") + "Page",
                fields={
                    "results": view.output(many=True),
                    "next": serializers.CharField(allow_null=True, help_text="`cursor` of the next page"),
                    "previous": serializers.CharField(allow_null=True, help_text="`cursor` of the page before"),
                },
            )
        return {
            (200, "application/json"): output,
            304: OpenApiResponse(description="Not changed since the answer with this ETag"),
            **problems(*(LIST_PROBLEMS if isinstance(view, NounList) else RECORD_PROBLEMS)),
        }

    def get_description(self) -> str:
        view = self.view
        if self.method == "GET" and isinstance(view, NounList):
            return f"{getdoc(view.output)} A list, page by page, in a stable order."
        if isinstance(view, NounDetail):
            return f"{getdoc(view.output)} One record by its reference; 404 also for what is out of your scope."
        return super().get_description()

    def get_request_serializer(self) -> Any:
        return None if isinstance(self.view, NounList | NounDetail) else super().get_request_serializer()

    def get_operation_id(self) -> str:
        words = [part.replace("-", "_") for part in self._tokenize_path()]
        verb = {"GET": "get" if isinstance(self.view, NounDetail) else "list"}.get(self.method, self.method.lower())
        return "_".join([verb, *words])

    def get_auth(self) -> list[Any]:
        scopes = getattr(self.view, "scopes", {})
        return [{"oauth2": [scopes[self.method]]}] if self.method in scopes and super().get_auth() else []


class BearerTokenScheme(OpenApiAuthenticationExtension):
    """OAuth 2 with client credentials."""

    target_class = "api.auth.BearerToken"
    name = "oauth2"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "oauth2",
            "description": "A client belongs to one funding agency (資金配分機関) and sees only its programs.",
            "flows": {"clientCredentials": {"tokenUrl": "/api/oauth/token/", "scopes": SCOPES}},
        }


class FirstField(OpenApiSerializerFieldExtension):
    """One object, not a list."""

    target_class = "api.sql_json.First"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        return auto_schema.resolve_serializer(self.target.child, direction).ref


def only_this_api(endpoints: list[Any]) -> list[Any]:
    """This function will keep the addresses of API v1 out of all that the site has."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith("/api/v1/")]


def _filters(view: NounList) -> list[OpenApiParameter]:
    specs = dict(view.filters)
    if type(view).search is not None:
        specs["q"] = Q_FILTER
    return [
        OpenApiParameter(name, spec.schema(), OpenApiParameter.QUERY, description=spec.description)
        for name, spec in specs.items()
    ]


def _paging(view: NounList) -> list[OpenApiParameter]:
    size = {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_SIZE, "default": PAGE_SIZE}
    orders = list(view.orders)
    order = {"type": "string", "enum": orders, "default": orders[0]}
    return [
        OpenApiParameter("page_size", size, OpenApiParameter.QUERY, description="Rows on a page"),
        OpenApiParameter("order", order, OpenApiParameter.QUERY, description="Order of the rows"),
        OpenApiParameter(
            "cursor", str, OpenApiParameter.QUERY, description="`next` or `previous` of an answer in the same order"
        ),
    ]
