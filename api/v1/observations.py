"""Observations of indicators: a long list to read, and NDJSON to send."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

import orjson
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from api.filters import FlagFilter, RefFilter, SwitchFilter, YearFilter, known_parameters
from api.idempotency import Reply, answered_once, read_key
from api.ndjson import NDJSON, NdjsonAccepted, NdjsonParser, Upload, collector_paused, lines_of, uploaded
from api.pagination import Order
from api.schema import problems
from api.sql_json import Day, Decimal, Flag, Instant, Integer, SqlSerializer, Text
from api.v1.parts import SAMPLE, OrganizationPart
from api.views import NounList
from programs.actions.indicators import RowResult, record_observations
from programs.queries import observations_visible_to


class ObservationOut(SqlSerializer):
    """An observation of an indicator; never changed, a correction is a new one."""

    indicator = Text(source="indicator.ref")
    organization = OrganizationPart(allow_null=True, help_text="Null: counted for the whole")
    fiscal_year = Integer(help_text="Calendar year of its April")
    observed_on = Day()
    value = Decimal()
    source = Text(help_text="Where the sender has it from")
    sender = Text(help_text="Who sent it: an agency's reference for a client")
    external_id = Text(help_text="The sender's own id; unique per sender")
    corrects = Text(source="corrects.external_id", allow_null=True, help_text="`external_id` of what this replaces")
    recorded_at = Instant()
    is_sample = Flag(source="indicator.program.is_sample", help_text=SAMPLE)


VALUE_HELP = 'A number, or text such as "12.5"; send more than 15 digits as text'


class ObservationIn(serializers.Serializer):
    """One line of an upload."""

    indicator = serializers.CharField(help_text="Reference of the indicator")
    organization = serializers.CharField(required=False, allow_null=True, help_text="Reference; null for the whole")
    fiscal_year = serializers.IntegerField(help_text="Calendar year of its April")
    observed_on = serializers.DateField()
    value = serializers.DecimalField(max_digits=20, decimal_places=4, help_text=VALUE_HELP)
    source = serializers.CharField(max_length=200, help_text="Where the figure comes from, in one line")
    external_id = serializers.CharField(max_length=64, help_text="Your own id; sent twice it is recorded once")
    corrects = serializers.CharField(
        required=False, allow_null=True, help_text="`external_id` of an observation of yours that this one replaces"
    )


class LineOut(serializers.Serializer):
    """What became of one line."""

    line = serializers.IntegerField(help_text="Number of the line, from 1")
    external_id = serializers.CharField()
    status = serializers.ChoiceField(choices=["created", "duplicate", "error"])
    field = serializers.CharField(required=False, help_text="Of an error: the field to correct")
    code = serializers.CharField(required=False, help_text="Of an error")
    message = serializers.CharField(required=False, help_text="Of an error: what to do")


DRY_RUN = SwitchFilter("", "1: check only")


class ObservationList(NounList):
    scopes: ClassVar[Mapping[str, str]] = {"GET": "observations:read", "POST": "observations:write"}
    parser_classes: ClassVar[list[Any]] = [NdjsonParser]
    output = ObservationOut
    visible = observations_visible_to
    orders = {
        "recorded": Order(("pk",), (int,)),
        "-recorded": Order(("pk",), (int,), descending=True),
    }
    filters = {
        "indicator": RefFilter("indicator__ref", "Observations of this indicator"),
        "organization": RefFilter("organization__ref", "Observations by this organization"),
        "fiscal_year": YearFilter("fiscal_year", "Fiscal year"),
        "is_sample": FlagFilter("indicator__program__is_sample", SAMPLE),
    }

    def get_renderers(self) -> list[BaseRenderer]:
        known: list[BaseRenderer] = super().get_renderers()
        return [*known, NdjsonAccepted()] if getattr(self.request, "method", "") == "POST" else known

    @extend_schema(
        operation_id="send_observations",
        parameters=[
            OpenApiParameter(
                "Idempotency-Key",
                {"type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[!-~]+$"},
                OpenApiParameter.HEADER,
                required=True,
                description="New for each upload. Sent again with the same body it gives the same answer, once only.",
            ),
            OpenApiParameter("dry_run", DRY_RUN.schema(), OpenApiParameter.QUERY, description=DRY_RUN.description),
        ],
        request={NDJSON: ObservationIn},
        responses={
            (200, NDJSON): OpenApiResponse(LineOut, description="One line for each line that was not blank"),
            **problems(400, 401, 403, 406, 409, 413, 415, 422, 429, 500),
        },
    )
    def post(self, request: Request) -> HttpResponse:
        """Send observations as NDJSON: one JSON object a line. A wrong line does not hinder the others."""
        known_parameters(request.query_params, frozenset({"dry_run"}))
        dry_run = DRY_RUN.read("dry_run", request.query_params.get("dry_run", "0"))
        key = read_key(request.headers.get("Idempotency-Key"))
        with uploaded(request) as upload:

            def effect() -> Reply:
                return _recorded(request, upload, dry_run)

            return _response(effect() if dry_run else _once(request, key, upload, effect))


def _once(request: Request, key: str, upload: Upload, effect: Callable[[], Reply]) -> Reply:
    return answered_once(
        client=request.user.pk,
        key=key,
        request_hash=hashlib.sha256(f"{request.path}\n{upload.sha256}".encode()).hexdigest(),
        at=request._request.received_at,
        effect=effect,
    )


def _recorded(request: Request, upload: Upload, dry_run: bool) -> Reply:
    with collector_paused():
        numbers, rows = lines_of(upload)
        results = record_observations(rows, by=request.user, at=request._request.received_at, dry_run=dry_run)
        return Reply(200, b"".join(_answer_lines(numbers, results)), NDJSON)


def _answer_lines(numbers: list[int], results: Iterable[RowResult]) -> Iterable[bytes]:
    for position, external_id, status, problem in results:
        line = {"line": numbers[position], "external_id": external_id, "status": status}
        if problem is not None:
            line |= {"field": problem.field, "code": problem.code, "message": problem.message}
        yield orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def _response(reply: Reply) -> HttpResponse:
    headers = {"Idempotency-Replayed": "true"} if reply.replayed else {}
    return HttpResponse(reply.body, status=reply.status, content_type=reply.content_type, headers=headers)
