"""The machine's door beside the bare tools: a list against psycopg and orjson, an upload against COPY.

`run` expects a migrated database of its own that it may fill; what it makes stays there and is used again.
"""

from __future__ import annotations

import io
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from statistics import median
from typing import Any

import orjson
import psycopg
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.db.models import F, QuerySet, TextField
from django.db.models.functions import Cast
from django.test.utils import override_settings
from django.utils import timezone
from oauth2_provider.models import AccessToken
from psycopg.rows import dict_row

from accounts.models import Organization
from accounts.queries import AgencyClient
from api.actions import create_client
from api.sql_json import Names, Part, Rows, SqlSerializer
from api.v1.observations import ObservationOut
from api.v1.projects import ProjectOut
from common.actors import SYSTEM
from programs.actions.indicators import _COPY
from programs.models import (
    IndicatorObservation,
    OutcomeIndicator,
    Participation,
    Program,
    ProgramAgency,
    Project,
)
from programs.queries import observations_visible_to, projects_visible_to

PAGE = 100
SLICE = 0.25
UPLOAD = 50_000
TURNS = 4
App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def bench_program(scale: int) -> Program:
    """This function will make a sample agency, a program and `scale` projects with a lead institution each."""
    agency, _made = Organization.objects.get_or_create(
        ref="bench-agency", defaults={"name_ja": "計測機関", "is_funding_agency": True, "is_sample": True}
    )
    program, _made = Program.objects.get_or_create(
        ref="bench",
        defaults={"name_ja": "計測用事業", "kind": "flagship_basic", "path": "bench/", "is_sample": True},
    )
    ProgramAgency.objects.get_or_create(program=program, organization=agency)
    missing = scale - Project.objects.filter(program=program).count()
    if missing > 0:
        start = scale - missing
        projects = Project.objects.bulk_create(
            [
                Project(
                    ref=f"bench-{number:07d}", program=program, kind="basic", is_sample=True,
                    title_ja=f"量子情報処理の基盤研究 {number}", title_en=f"Basic research {number}",
                    theme_ja="汎用量子コンピュータの試作", start_fiscal_year=2020, end_fiscal_year=2029,
                )
                for number in range(start, scale)
            ],
            batch_size=2000,
        )  # fmt: skip
        Participation.objects.bulk_create(
            [Participation(project=project, organization=agency, role="lead") for project in projects],
            batch_size=2000,
        )
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    return program


def bearer(agency: str) -> tuple[AgencyClient, str]:
    """This function will make a client of the agency with a token, and return who it acts as."""
    created = create_client(
        agency, ["projects:read", "observations:read", "observations:write"], by=SYSTEM, at=timezone.now()
    )
    token = created.secret[:64]
    row = AccessToken(
        application=created.client.application,
        expires=timezone.now() + timedelta(hours=1),
        scope=" ".join(created.client.scopes),
        token=token,
    )
    row.save()
    organization = created.client.organization
    return AgencyClient(organization.pk, organization.ref, created.client_id), token


def environ(path: str, query: str, token: str, method: str = "GET", body: bytes = b"", **extra: str) -> dict[str, Any]:
    """This function will make the environment of one request."""
    return {
        "REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, "SERVER_NAME": "localhost",
        "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1", "SCRIPT_NAME": "",
        "HTTP_HOST": "localhost", "HTTP_AUTHORIZATION": f"Bearer {token}", "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body), "wsgi.errors": io.StringIO(), "wsgi.url_scheme": "http",
        "wsgi.multithread": False, "wsgi.multiprocess": False, "wsgi.run_once": False, "wsgi.version": (1, 0), **extra,
    }  # fmt: skip


def call(app: App, request: dict[str, Any]) -> bytes:
    """This function will call a WSGI application once and return the body; anything but 200 is an error."""
    seen: list[str] = []
    result = app(request, lambda status, headers, exc_info=None: seen.append(status))
    body = b"".join(result)
    if close := getattr(result, "close", None):
        close()
    if not seen[0].startswith("200"):
        raise RuntimeError(f"{seen[0]}: {body[:500]!r}")
    return body


def bare_connection() -> psycopg.Connection[Any]:
    """This function will connect to the same database without the framework."""
    given = connection.get_connection_params()
    names = ("host", "port", "user", "password", "dbname")
    return psycopg.connect(**{name: given[name] for name in names if given.get(name)}, autocommit=True)


def bare_list(output: type[SqlSerializer], rows: QuerySet[Any]) -> App:
    """This function will return the smallest WSGI endpoint on the same query: plain columns, psycopg, orjson.

    Nested objects come as finished JSON and are embedded unparsed; no token, no scope, no limit, no cursor is looked at.
    """
    columns: dict[str, Any] = {}
    nested: list[str] = []
    for name, field in output().fields.items():
        if isinstance(field, Names):
            columns |= {f"{name}_{lang}_": F(f"{field.stem}_{lang}") for lang in ("ja", "en")}
        elif isinstance(field, Rows | Part):
            columns[f"{name}_"] = Cast(field.sql(""), TextField())
            nested.append(f"{name}_")
        else:
            columns[f"{name}_"] = field.sql("")
    sql, params = rows.select_related(None).prefetch_related(None).values(**columns)[:PAGE].query.sql_with_params()
    native = bare_connection()

    def app(request: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        with native.cursor(row_factory=dict_row) as cursor:
            results = cursor.execute(sql, params).fetchall()
        for item in results:
            for name in nested:
                item[name] = orjson.Fragment(item[name] or "null")
        start_response("200 OK", [("Content-Type", "application/json")])
        return [orjson.dumps({"results": results})]

    return app


def rates(apps: Sequence[App], request: Callable[[], dict[str, Any]]) -> list[float]:
    """This function will return rows a second of each list application, measured by turns on the same machine."""
    slices: list[list[float]] = [[] for _ in apps]
    for app in apps:
        if len(orjson.loads(call(app, request()))["results"]) != PAGE:
            raise RuntimeError("the page is not full")
    for _ in range(TURNS * 3):
        for app, found in zip(apps, slices, strict=True):
            pages, begun = 0, time.perf_counter()
            while (spent := time.perf_counter() - begun) < SLICE:
                call(app, request())
                pages += 1
            found.append(pages * PAGE / spent)
    return [median(found) for found in slices]


def run(scale: int) -> list[dict[str, Any]]:
    """This function will measure at `scale` projects and 100 times as many observations: rows of the bench table."""
    program = bench_program(scale)
    indicator, _made = OutcomeIndicator.objects.get_or_create(
        ref="bench-uses", defaults={"program": program, "name_ja": "利用件数", "unit": "件", "direction": "at_least"}
    )
    principal, token = bearer("bench-agency")
    fill_observations(indicator, 100 * scale)
    # The limits would measure themselves; the query that counts stays in.
    with (
        override_settings(API_REQUESTS_PER_MINUTE=10_000_000, API_REQUESTS_AT_ONCE=10_000_000),
        connection_kept_open(),
    ):
        return [
            _list_row("projects", ProjectOut, projects_visible_to(principal), token),
            _list_row("observations", ObservationOut, observations_visible_to(principal), token),
            _ingest_row(indicator, token),
        ]


@contextmanager
def connection_kept_open() -> Iterator[None]:
    """This function will keep one connection from request to request, as the pool does for a web process."""
    before = connection.settings_dict["CONN_MAX_AGE"]
    connection.close()
    connection.settings_dict["CONN_MAX_AGE"] = None
    try:
        yield
    finally:
        connection.settings_dict["CONN_MAX_AGE"] = before
        connection.close()


def fill_observations(indicator: OutcomeIndicator, wanted: int) -> None:
    """This function will bring the indicator to this many observations."""
    missing = wanted - IndicatorObservation.objects.filter(indicator=indicator).count()
    with bare_connection() as native:
        while missing > 0:
            bare_copy(native, indicator, min(missing, UPLOAD))
            missing -= UPLOAD
        native.execute("ANALYZE programs_indicatorobservation")


def bare_copy(native: psycopg.Connection[Any], indicator: OutcomeIndicator, count: int) -> float:
    """This function will COPY rows that are ready and checked into the table, and return the seconds."""
    batch, now = secrets.token_hex(6), timezone.now().isoformat()
    text = "".join(
        f"{indicator.pk}\t\\N\t2024\t2024-06-01\t{n}\t計測\t{batch}-{n}\t\\N\tbench-copy\t{now}\n" for n in range(count)
    )
    begun = time.perf_counter()
    with native.transaction(), native.cursor() as cursor, cursor.copy(_COPY) as copy:
        copy.write(text)
    return time.perf_counter() - begun


def _list_row(noun: str, output: type[SqlSerializer], rows: QuerySet[Any], token: str) -> dict[str, Any]:
    def request() -> dict[str, Any]:
        return environ(f"/api/v1/{noun}/", f"page_size={PAGE}", token)

    value, limit = rates([WSGIHandler(), bare_list(output, rows)], request)
    return _row(f"API list of {noun}, beside psycopg + orjson", value, limit, 0.25)


def _ingest_row(indicator: OutcomeIndicator, token: str) -> dict[str, Any]:
    """By turns, so that both meet the same table and the same machine; checkpoints hit one as often as the other."""
    app, spent, bare = WSGIHandler(), 0.0, 0.0
    _upload(app, token, indicator.ref)
    with bare_connection() as native:
        for _ in range(TURNS):
            bare += bare_copy(native, indicator, UPLOAD)
            spent += _upload(app, token, indicator.ref)
    return _row("API observations as NDJSON, beside a bare COPY", TURNS * UPLOAD / spent, TURNS * UPLOAD / bare, 0.5)


def _upload(app: App, token: str, indicator: str) -> float:
    batch = secrets.token_hex(6)
    body = b"".join(
        b'{"indicator":"%s","fiscal_year":2024,"observed_on":"2024-06-01","value":%d,"source":"\xe8\xa8\x88\xe6\xb8\xac",'
        b'"external_id":"%s-%d"}\n' % (indicator.encode(), n, batch.encode(), n)
        for n in range(UPLOAD)
    )
    request = environ(
        "/api/v1/observations/", "", token, "POST", body,
        CONTENT_TYPE="application/x-ndjson", HTTP_IDEMPOTENCY_KEY=batch,
    )  # fmt: skip
    begun = time.perf_counter()
    answer = call(app, request)
    seconds = time.perf_counter() - begun
    if answer.count(b'"status":"created"') != UPLOAD:
        raise RuntimeError("not every line was recorded")
    return seconds


def _row(name: str, value: float, limit: float, budget: float) -> dict[str, Any]:
    ratio = value / limit
    return {
        "name": name, "value": round(value), "unit": "rows/s", "limit": round(limit), "ratio": round(ratio, 3),
        "budget": budget, "ok": ratio >= budget,
    }  # fmt: skip
