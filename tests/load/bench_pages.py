"""List pages and single pages: queries, median time, growth from 1,000 to the full number of rows; CSV as a stream."""

from __future__ import annotations

import time
import tracemalloc
from datetime import date, timedelta
from typing import Any

from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import User
from calls.actions.portfolio import load_portfolio
from common.actors import SYSTEM
from programs.actions.allocations import open_allocation
from programs.actions.portfolio import SHIPPED_PORTFOLIO
from programs.models import (
    Allocation,
    FundEdge,
    FundNode,
    OutcomeIndicator,
    Participation,
    Program,
    ProgramStaff,
    Project,
)
from reporting.models import ProgressReport
from reporting.sample_cast import build_sample, cast_users
from tests.load.bench_api import bench_program, fill_observations
from tests.load.measure import Row, at_most, page_times

SMALL = 1_000
LIST_QUERIES, LIST_MS, GROWTH = 12, 150.0, 1.5
PAGE_QUERIES, PAGE_MS = 15, 100.0
FIRST_BYTE_SECONDS, MEGABYTES = 1.0, 100.0


def grow(scale: int) -> Program:
    """This function will bring the bench program to `scale` projects, each with one report."""
    program = bench_program(scale)
    have = set(ProgressReport.objects.filter(project__program=program).values_list("project_id", flat=True))
    now, due = timezone.now(), date(2026, 6, 1)
    ProgressReport.objects.bulk_create(
        [
            ProgressReport(
                project_id=pk, kind="annual", fiscal_year=2025, opened_at=now, due_on=due + timedelta(days=n % 90),
                is_sample=True,
            )
            for n, pk in enumerate(Project.objects.filter(program=program).values_list("pk", flat=True))
            if pk not in have
        ],
        batch_size=2000,
    )  # fmt: skip
    allocate(program)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return program


def allocate(program: Program) -> None:
    """This function will give each project of the bench program a proposed allocation over its lead institution."""
    users = cast_users()
    nodes = {node.project_id for node in FundNode.objects.filter(kind="project", project__program=program)}
    projects = Project.objects.filter(program=program).exclude(pk__in=nodes)
    leads = dict(
        Participation.objects.filter(project__in=projects, role="lead").values_list("project_id", "organization_id")
    )
    made = FundNode.objects.bulk_create([FundNode(kind="project", project_id=pk) for pk in leads], batch_size=2000)
    parts = FundNode.objects.bulk_create(
        [FundNode(kind="organization", project_id=pk, organization_id=lead) for pk, lead in leads.items()],
        batch_size=2000,
    )
    now = timezone.now()
    allocations = Allocation.objects.bulk_create(
        [
            Allocation(
                source=node, fiscal_year=2026, number=1, state="proposed", opened_by=users["pd1"], opened_at=now,
                proposed_by=users["pd1"], proposed_at=now, is_sample=True,
            )
            for node in made
        ],
        batch_size=2000,
    )  # fmt: skip
    FundEdge.objects.bulk_create(
        [
            FundEdge(
                source=node, target=part, kind="allocation", fiscal_year=2026, amount_yen=1_000_000 + n,
                status="proposed", allocation=allocation,
            )
            for n, (node, part, allocation) in enumerate(zip(made, parts, allocations, strict=True))
        ],
        batch_size=2000,
    )  # fmt: skip


def officer(program: Program) -> User:
    """This function will return a sample officer who staffs the bench program and everything of the twin."""
    users = cast_users()
    ProgramStaff.objects.get_or_create(
        program=program, person=users["staff1"].person, role="ministry_staff",
        defaults={"starts_on": date(2020, 4, 1), "granted_by": users["staff2"], "approved_by": users["staff1"]},
    )  # fmt: skip
    return users["staff1"]


def lists(client: Client) -> dict[str, str]:
    """This function will name the list pages that are measured, the last page among them."""
    return {
        "projects": "/projects/",
        "projects, filtered": "/projects/?program=bench&kind=basic&state=running",
        "projects, sorted by institution": "/projects/?sort=institution",
        "projects, searched": "/projects/?q=" + "量子情報",
        "projects, last page": "/projects/?end=1",
        "reports": "/reports/",
        "reports, filtered": "/reports/?state=drafting&program=bench",
        "reports, last page": "/reports/?end=1",
        "search": "/search/?q=" + "基盤研究",
        "allocations": "/allocations/",
        "allocations, filtered": "/allocations/?state=proposed&year=2026",
        "allocations, sorted by total": "/allocations/?sort=-total",
        "allocations, last page": "/allocations/?end=1",
    }


def run(scale: int) -> list[Row]:
    """This function will measure the pages with `scale` projects in the database."""
    load_portfolio(SHIPPED_PORTFOLIO.read_bytes(), by=SYSTEM, at=timezone.now())
    build_sample(on=date(2026, 6, 3))
    client = Client()
    program = grow(min(SMALL, scale))
    client.force_login(officer(program))
    before = {name: page_times(client, path)[0] for name, path in lists(client).items()}
    grow(scale)
    rows: list[Row] = []
    for name, path in lists(client).items():
        ms, queries = page_times(client, path)
        rows.append(at_most(f"page {name}: queries", queries, "", LIST_QUERIES))
        rows.append(at_most(f"page {name}: median", ms, "ms", LIST_MS))
        rows.append(at_most(f"page {name}: growth from {SMALL:,} rows", ms, "ms", GROWTH, limit=before[name]))
    return rows + single_pages() + csv_stream(client)


def single_pages() -> list[Row]:
    """This function will measure the pages of one object with the standing cast."""
    users: dict[str, Any] = cast_users()
    rows = []
    for who, path in (
        ("staff1", "/portfolio/"),
        ("staff1", "/programs/q-leap/"),
        ("staff1", "/programs/k-program/"),
        ("pd1", "/areas/sample-ql1/"),
        ("pd1", "/areas/sample-ql1/money/"),
        ("pd1", "/areas/sample-ql1/trl/"),
        ("pd1", f"/allocations/{_split()}/"),
        ("pd1", "/projects/sample-ql1-f1/money/"),
        ("pi1", "/projects/sample-ql1-f1/plan/"),
        ("pi1", "/projects/sample-ql1-f1/risks/"),
        ("staff1", "/programs/q-leap-sample/money/"),
        ("pi1", "/projects/sample-ql1-f1/"),
        ("pd1", "/"),
    ):
        client = Client()
        client.force_login(users[who])
        ms, queries = page_times(client, path)
        rows.append(at_most(f"page {path} ({who}): queries", queries, "", PAGE_QUERIES))
        rows.append(at_most(f"page {path} ({who}): median", ms, "ms", PAGE_MS))
    return rows


def _split() -> str:
    """The reference of an area's allocation that its director is writing."""
    node = FundNode.objects.get(area__ref="sample-ql1")
    allocation = Allocation.objects.filter(source=node, state="drafting").first()
    return (allocation or open_allocation(node, 2026, by=cast_users()["pd1"], at=timezone.now())).ref


def csv_stream(client: Client) -> list[Row]:
    """This function will measure the CSV of all projects: time to the first byte and memory above idle."""
    tracemalloc.start()
    started = time.perf_counter()
    parts = iter(client.get("/projects/?format=csv").streaming_content)
    next(parts)
    first = time.perf_counter() - started
    lines = sum(part.count(b"\r\n") for part in parts)
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    assert lines >= 1, "the CSV is empty"
    return [
        at_most(f"CSV of {lines:,} projects: first byte", first, "s", FIRST_BYTE_SECONDS),
        at_most(f"CSV of {lines:,} projects: memory above idle", peak, "MB", MEGABYTES),
    ]


def run_observations(scale: int) -> list[Row]:
    """This function will measure the pages that show an indicator with `scale` observations behind it."""
    program = Program.objects.get(ref="bench")
    indicator, _made = OutcomeIndicator.objects.get_or_create(
        ref="bench-uses",
        defaults={"program": program, "name_ja": "利用件数(計測用)", "unit": "件", "direction": "at_least"},
    )
    fill_observations(indicator, scale)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE programs_indicatorobservation")
    client = Client()
    client.force_login(cast_users()["staff1"])
    ms, queries = page_times(client, "/programs/bench/")
    return [
        at_most(f"program page with {scale:,} observations: queries", queries, "", PAGE_QUERIES),
        at_most(f"program page with {scale:,} observations: median", ms, "ms", PAGE_MS),
    ]
