"""The permission table over HTTP: role x page > status; every cell is really asked for.

Rows are addresses of real and sample objects that exist; columns the standing cast. 404 means "nothing that you can
see", whatever the reason; its body is the same for all of them.
"""

from datetime import date

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from programs.actions.advice import give_advice
from programs.actions.policies import open_policy, put_policy_in_force, save_policy, submit_policy
from programs.actions.visits import open_visit
from programs.models import AreaDirector, PolicyVersion, Project, SiteVisit
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
    "/reviews/": ("evaluator1 evaluator2 chair1 secretariat1", 403),
    "/conflicts/": ("staff1 staff2 auditor1 evaluator1 evaluator2 chair1 jst1 nedo1 secretariat1", 403),
    "/conflicts/coauthorships/": ("staff1 staff2 jst1 secretariat1", 403),
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
    "/projects/sample-ql1-f1/gates/": (f"{WATCHING} {AREA_1} {TEAM} jst1", 404),
    "/projects/ql1-f1/gates/": (WATCHING, 404),
    "/areas/sample-ql1/trl/": (f"{WATCHING} pd1 pd2 deputy1 po1 po2 {TEAM} pi2 jst1", 404),
    "/projects/sample-ql4-h1/education/": (f"{WATCHING} po2 jst1", 404),
    "/projects/sample-ql3-b1/goals/": (f"{WATCHING} po2 jst1", 404),
    "/projects/sample-ql1-f1/goals/": ("", 404),
    "/projects/sample-ql1-f1/money/": (f"{WATCHING} {AREA_1} {TEAM} jst1", 404),
    "/projects/sample-ql1-f1/visits/": (f"{WATCHING} {AREA_1} {TEAM} jst1", 404),
    "/projects/ql1-f1/visits/": (WATCHING, 404),
    "/projects/sample-ql1-f1/brief/": (f"{WATCHING} {AREA_1} {TEAM} jst1", 404),
    "/projects/sample-ql1-f1/brief.pdf": (f"{WATCHING} {AREA_1} {TEAM} jst1", 404),
    "/areas/sample-ql1/people/": (f"{WATCHING} pd1 pd2 deputy1 po1 po2 {TEAM} pi2 jst1", 404),
    "/areas/ql1/people/": (WATCHING, 404),
    "/areas/sample-ql1/policy/": (f"{WATCHING} pd1 pd2 deputy1 po1 po2 {TEAM} pi2 jst1", 404),
    "/areas/ql1/policy/": (WATCHING, 404),
    "/handover/": (" ".join(ROLES), 404),
    "/handover/?person=PSN-0000000": ("", 404),
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


#: Pages of what hangs on a project or area, and of each act: who may open them; the others of `seen` get 403.
ACTS = {
    "/projects/sample-ql1-f1/network/": (f"{WATCHING} {AREA_1} {TEAM} jst1", f"{WATCHING} {AREA_1} hq1 pi1"),
    "/areas/sample-ql1/people/director/{term}/end/": (
        f"{WATCHING} pd1 pd2 deputy1 po1 po2 {TEAM} pi2 jst1",
        "staff1 staff2",
    ),
    "/areas/sample-ql1/people/director/{term}/take-back/": (
        f"{WATCHING} pd1 pd2 deputy1 po1 po2 {TEAM} pi2 jst1",
        "staff1 staff2",
    ),
    "/visits/{visit}/": (f"{WATCHING} {AREA_1} {TEAM} jst1", f"{WATCHING} {AREA_1} {TEAM} jst1"),
    "/visits/{visit}/change/": (f"{WATCHING} {AREA_1} {TEAM} jst1", f"staff1 staff2 {AREA_1}"),
    "/visits/{visit}/share/": (f"{WATCHING} {AREA_1} {TEAM} jst1", f"staff1 staff2 {AREA_1}"),
    "/visits/{visit}/cancel/": (f"{WATCHING} {AREA_1} {TEAM} jst1", f"staff1 staff2 {AREA_1}"),
    "/advice/{advice}/": (f"{WATCHING} {AREA_1} {TEAM} jst1", f"{WATCHING} {AREA_1} {TEAM} jst1"),
    "/areas/sample-ql1/policy/1/": ("pd1 deputy1 po1", "pd1 deputy1 po1"),
    "/areas/sample-ql1/policy/1/document.pdf": ("pd1 deputy1 po1", "pd1 deputy1 po1"),
    "/areas/sample-ql1/policy/1/submit/": ("pd1 deputy1 po1", "pd1 deputy1"),
    "/areas/sample-ql1/policy/1/withdraw/": ("pd1 deputy1 po1", "pd1 deputy1"),
    "/areas/sample-ql1/policy/1/put-in-force/": ("pd1 deputy1 po1", ""),
    "/areas/sample-ql2/policy/1/": (f"{WATCHING} pd2 po1", f"{WATCHING} pd2 po1"),
    "/areas/sample-ql2/policy/1/put-in-force/": (f"{WATCHING} pd2 po1", "staff1 staff2"),
    "/areas/sample-ql2/policy/1/return/": (f"{WATCHING} pd2 po1", "staff1 staff2"),
    "/areas/sample-ql2/policy/1/withdraw/": (f"{WATCHING} pd2 po1", "pd2"),
    "/areas/sample-ql3/policy/1/": (f"{WATCHING} pd1 pd2 deputy1 po1 po2 {TEAM} pi2 jst1",) * 2,
    "/areas/sample-ql3/policy/1/return/": (f"{WATCHING} pd1 pd2 deputy1 po1 po2 {TEAM} pi2 jst1", ""),
}


@pytest.fixture
def things(cast: dict[str, User], twin: dict[str, Project]) -> dict[str, object]:
    """A visit with advice in area 1; policies: a draft in area 1, one handed in in area 2, one in force in area 3."""
    project, now, today = twin["sample-ql1-f1"], timezone.now(), timezone.localdate()
    visit = open_visit(project, on=today, place="見本機関A", participants="PD", by=cast["pd1"], at=now)
    owner = cast["pi1"].person
    assert owner is not None
    advice = give_advice(project, text="助言", owner=owner, due_on=today, visit=visit, by=cast["pd1"], at=now)
    for number, ref in enumerate(("sample-ql1-f1", "sample-ql2-f1", "sample-ql3-f1"), start=1):
        area, how = twin[ref].area, {"by": cast[f"pd{number}"], "at": now}
        assert area is not None
        version = save_policy(open_policy(area, **how), text="方針", revision=0, **how)  # type: ignore[arg-type]
        if number > 1:
            submit_policy(version, **how)  # type: ignore[arg-type]
        if number > 2:
            put_policy_in_force(version, effective_on=today, by=cast["staff1"], at=now)
    term = AreaDirector.objects.get(area=project.area, person=cast["pd1"].person)
    return {"term": term.pk, "visit": visit.ref, "advice": advice.ref}


@pytest.mark.django_db
def test_visits_policies_and_terms_when_asked_by_every_role_then_page_and_acts_are_the_table(
    cast: dict[str, User], things: dict[str, object]
) -> None:
    for address, (seen, allowed) in ACTS.items():
        path = address.format(**things)
        may, sees = allowed.split(), seen.split()
        expected = {name: 200 if name in may else 403 if name in sees else 404 for name in ROLES}
        assert _statuses(cast, path) == expected, address


#: Acts that are only posted: who may (302, or 4xx for what is typed), who is told why not; nobody changes anything.
POSTS = {
    "/areas/sample-ql1/people/director/{term}/approve/": ("staff1 staff2", f"{WATCHING} pd1 {TEAM} jst1"),
    "/visits/{visit}/memo/": (f"staff1 staff2 {AREA_1}", f"{WATCHING} {AREA_1} {TEAM} jst1"),
    "/areas/sample-ql1/policy/1/text/": ("pd1 deputy1", "pd1 deputy1 po1"),
    "/areas/sample-ql1/policy/open/": ("", f"{WATCHING} pd1 {TEAM} jst1"),
}


@pytest.mark.django_db
def test_posts_when_sent_by_whoever_may_not_then_refused_and_nothing_changes(
    cast: dict[str, User], things: dict[str, object]
) -> None:
    visit, policy = SiteVisit.objects.get(ref=things["visit"]), PolicyVersion.objects.get(area__ref="sample-ql1")
    for address, (allowed, seen) in POSTS.items():
        for name in ROLES:
            if name in allowed.split():
                continue
            client = Client()
            client.force_login(cast[name])
            status = client.post(address.format(**things), {"text": "書込", "revision": "0"}).status_code
            assert status == 403 if name in seen.split() else status in (403, 404), (address, name)
    visit.refresh_from_db()
    policy.refresh_from_db()
    assert (visit.memo, policy.text, PolicyVersion.objects.count()) == ("", "方針", 3)
