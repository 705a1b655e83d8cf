"""The permission table over HTTP: role x page > status; every cell is really asked for.

Rows are addresses of real and sample objects that exist; columns the standing cast. 404 means "nothing that you can
see", whatever the reason; its body is the same for all of them.
"""

from datetime import date

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from programs.models import Project
from reporting.actions.reports import open_report
from reporting.models import ProgressReport
from reporting.schedules import DuePeriod
from tests.programs.test_plans import handed_on, written

ROLES = [
    "staff1",
    "staff2",
    "auditor1",
    "pd1",
    "pd2",
    "deputy1",
    "po1",
    "po2",
    "hq1",
    "pi1",
    "pi2",
    "coinvestigator1",
    "office1",
    "office2",
    "accountant1",
    "evaluator1",
    "evaluator2",
    "chair1",
    "jst1",
    "nedo1",
    "secretariat1",
    "cabinet1",
    "user_ministry1",
    "security1",
    "applicant1",
]

#: Everybody else in ROLES gets 404 (or 403 where the address is no object's).
TEAM = "hq1 pi1 coinvestigator1 office1 office2 accountant1"
AREA_1 = "pd1 deputy1 po1"
WATCHING = "staff1 staff2 auditor1"
TABLE: dict[str, tuple[str, int]] = {
    "/": (" ".join(ROLES), 404),
    "/projects/": (" ".join(ROLES), 404),
    "/reports/": (" ".join(ROLES), 404),
    "/search/?q=量子": (" ".join(ROLES), 404),
    "/mail/": (" ".join(ROLES), 404),
    "/portfolio/": (f"{WATCHING} pd1 pd2 deputy1 po1 po2", 403),
    "/portfolio/brief.pdf": (f"{WATCHING} pd1 pd2 deputy1 po1 po2", 403),
    "/programs/q-leap/": (WATCHING, 404),
    "/programs/k-program/": (WATCHING, 404),
    "/indicators/facility-uses-per-year/": (WATCHING, 404),
    "/indicators/facility-uses-per-year/values.csv": (WATCHING, 404),
    "/areas/ql1/": (WATCHING, 404),
    "/projects/ql1-f1/": (WATCHING, 404),
    "/programs/q-leap-sample/": (f"{WATCHING} pd1 pd2 deputy1 po1 po2 {TEAM} pi2 jst1", 404),
    "/areas/sample-ql1/": (f"{WATCHING} pd1 pd2 deputy1 po1 po2 {TEAM} pi2 jst1", 404),
    "/projects/sample-ql1-f1/": (f"{WATCHING} {AREA_1} {TEAM} jst1", 404),
    "/projects/sample-ql1-f1/benchmarks/": (f"{WATCHING} {AREA_1} {TEAM} jst1", 404),
    "/areas/sample-ql1/benchmarks/": (f"{WATCHING} pd1 pd2 deputy1 po1 po2 {TEAM} pi2 jst1", 404),
    "/projects/sample-ql1-f1/roadmap/": (f"{WATCHING} {AREA_1} {TEAM} jst1", 404),
    "/areas/sample-ql1/roadmap/": (f"{WATCHING} pd1 pd2 deputy1 po1 po2 {TEAM} pi2 jst1", 404),
    "/programs/q-leap-sample/roadmap/": (f"{WATCHING} pd1 pd2 deputy1 po1 po2 {TEAM} pi2 jst1", 404),
    "/projects/sample-ql1-f1/plan/": (f"{WATCHING} {AREA_1} {TEAM} jst1", 404),
    "/projects/ql1-f1/plan/": (WATCHING, 404),
    "/projects/sample-ql1-f1/trl/": (f"{WATCHING} {AREA_1} {TEAM} jst1", 404),
    "/areas/sample-ql1/trl/": (f"{WATCHING} pd1 pd2 deputy1 po1 po2 {TEAM} pi2 jst1", 404),
    "/projects/sample-ql4-h1/education/": (f"{WATCHING} po2 jst1", 404),
    "/projects/sample-ql3-b1/goals/": (f"{WATCHING} po2 jst1", 404),
    "/projects/sample-ql1-f1/goals/": ("", 404),
    "/projects/sample-ql1-f1/money/": (f"{WATCHING} {AREA_1} {TEAM} jst1", 404),
    "/projects/sample-ql1-f1/people/": (f"{WATCHING} {AREA_1} {TEAM} jst1", 404),
}


def _statuses(cast: dict[str, User], path: str) -> dict[str, int]:
    found = {}
    for name in ROLES:
        client = Client()
        client.force_login(cast[name])
        found[name] = client.get(path).status_code
    return found


@pytest.mark.django_db
@pytest.mark.parametrize("path", sorted(TABLE))
def test_page_when_asked_by_every_role_then_the_table_is_right(cast: dict[str, User], path: str) -> None:
    allowed, otherwise = TABLE[path]
    expected = {name: 200 if name in allowed.split() else otherwise for name in ROLES}
    assert _statuses(cast, path) == expected


@pytest.fixture
def report(cast: dict[str, User], twin: dict[str, Project]) -> ProgressReport:
    period = DuePeriod(2031, date(2032, 4, 1), date(2032, 5, 31))
    return open_report(twin["sample-ql1-f1"], kind="annual", period=period, by=cast["staff1"], at=timezone.now())


@pytest.mark.django_db
def test_draft_report_when_asked_by_every_role_then_seen_by_whom_it_concerns(
    cast: dict[str, User], report: ProgressReport
) -> None:
    seen = f"{WATCHING} {AREA_1} {TEAM}".split()
    assert _statuses(cast, f"/reports/{report.ref}/") == {name: 200 if name in seen else 404 for name in ROLES}


@pytest.mark.django_db
@pytest.mark.parametrize(("act", "allowed"), [("submit", "pi1"), ("check", ""), ("return", ""), ("accept", "")])
def test_act_on_a_draft_when_asked_by_every_role_then_only_the_writer_may_submit(
    cast: dict[str, User], report: ProgressReport, act: str, allowed: str
) -> None:
    seen = f"{WATCHING} {AREA_1} {TEAM}".split()
    expected = {name: 200 if name == allowed else 403 if name in seen else 404 for name in ROLES}
    assert _statuses(cast, f"/reports/{report.ref}/{act}/") == expected


#: What a plan in a state shows to whom: its page, and each of its acts (403 for whoever reads it without that act).
PLAN_SEEN = {
    "drafting": TEAM,
    "submitted": f"{WATCHING} {AREA_1} {TEAM}",
    "confirmed": f"{WATCHING} {AREA_1} {TEAM} jst1",
}
PLAN_ACTS = {
    "drafting": {
        "submit": "pi1", "withdraw": "pi1", "frame": "hq1 pi1",
        "money": "hq1 pi1 coinvestigator1 office1 office2 accountant1",
        "items/milestone/new": "hq1 pi1 coinvestigator1 office1 office2 accountant1", "items/gate/new": "hq1 pi1",
        "import": "hq1 pi1 coinvestigator1 office1 office2 accountant1", "workbook": TEAM,
    },
    "submitted": {"check": "po1", "return": "po1", "import": "", "workbook": f"{WATCHING} {AREA_1} {TEAM}",
                  "withdraw": "pi1", "money": "", "frame": "", "confirm": ""},
    "confirmed": {"propose-approval": "staff1 staff2 jst1", "refuse": "staff1 staff2 jst1",
                  "return": "staff1 staff2 jst1", "approve": "", "withdraw": "pi1", "items/milestone/M6": ""},
}  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("state", sorted(PLAN_SEEN))
def test_plan_when_asked_by_every_role_then_page_and_acts_are_the_table(
    cast: dict[str, User], twin: dict[str, Project], state: str
) -> None:
    version = written(twin["sample-ql1-f1"], cast)
    if state != "drafting":
        handed_on(version, cast, to=state)
    path, seen = f"/projects/sample-ql1-f1/plan/{version.number}/", PLAN_SEEN[state].split()
    assert _statuses(cast, path) == {name: 200 if name in seen else 404 for name in ROLES}
    for act, allowed in PLAN_ACTS[state].items():
        expected = {name: 200 if name in allowed.split() else 403 if name in seen else 404 for name in ROLES}
        assert _statuses(cast, f"{path}{act}/") == expected, act


@pytest.mark.django_db
def test_nothing_to_see_when_answered_then_body_and_headers_are_the_same(cast: dict[str, User]) -> None:
    client = Client()
    client.force_login(cast["evaluator1"])
    # In conflict, of nobody, and out of scope; of one length, since a page names its own address.
    paths = ("/projects/sample-ql1-f1/", "/projects/sample-ql9-f9/", "/projects/sample-ql1-f2/")
    answers = [client.get(path) for path in paths]
    bodies = {answer.content.replace(answer.wsgi_request.path.encode(), b"") for answer in answers}
    tokens = {answer.wsgi_request.META.get("CSRF_COOKIE", "") for answer in answers}
    assert {answer.status_code for answer in answers} == {404}
    assert len({len(body) for body in bodies}) == 1, tokens
    headers = [{k: v for k, v in answer.headers.items() if k not in ("X-Request-ID",)} for answer in answers]
    assert headers[0] == headers[1] == headers[2]


@pytest.mark.django_db
@pytest.mark.parametrize("path", sorted(TABLE))
def test_page_when_nobody_is_signed_in_then_the_sign_in_page_comes(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/?next=")
