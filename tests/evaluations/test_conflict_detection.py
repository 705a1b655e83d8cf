"""Detection: what is on record becomes hits with their facts; run twice nothing new; dismissed stays dismissed."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Affiliation, Person
from common.errors import NotAllowed, NotReady, Refused
from evaluations.actions.coauthorships import import_coauthorships
from evaluations.actions.conflict_detection import detect_conflicts, find_conflicts
from evaluations.actions.conflicts import confirm_conflict, dismiss_conflict
from evaluations.conflict_detection import Facts, Membership, Paper, Place, Post, Windows, detect, years_before
from evaluations.models import Coauthorship, ConflictOfInterest, ConflictRule
from evaluations.rules.conflict_windows import proposed_windows, windows_of
from programs.models import Participation
from tests.factories.rounds import make_round

ON = date(2026, 6, 1)
ALL = Windows(same_unit_years=0, joint_research_years=5, coauthorship_years=5, employment_years=10)
F1 = "sample-ql1-f1"
ORCIDS = ("0000-0002-1825-0097", "0000-0001-5109-3700")


def found(facts, windows=ALL, people=(1,), projects=(10,)):
    return {(hit.person, hit.project, hit.kind): hit.keys for hit in detect(people, projects, facts, windows, ON)}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (Facts(), {}),
        # The same institution, now.
        (Facts(posts=[Post(1, 7)], places=[Place(10, 7)]), {(1, 10, "same_unit"): ["works_at:7"]}),
        (Facts(posts=[Post(1, 7, None, date(2026, 5, 31))], places=[Place(10, 7)]), {}),
        (Facts(posts=[Post(1, 7)], places=[Place(10, 7, None, date(2025, 3, 31))]), {}),
        # A member of the team works where the person works.
        (
            Facts(posts=[Post(1, 7), Post(2, 7)], memberships=[Membership(2, 10)]),
            {(1, 10, "same_unit"): ["colleague:2:7"]},
        ),
        # Was in the project within five years; longer ago is no hit.
        (
            Facts(memberships=[Membership(1, 10, date(2015, 4, 1), date(2021, 6, 1))]),
            {(1, 10, "joint_research"): ["member:10"]},
        ),
        (Facts(memberships=[Membership(1, 10, date(2015, 4, 1), date(2021, 5, 31))]), {}),
        # Was in another project together with somebody of the team, at the same time.
        (
            Facts(memberships=[
                Membership(1, 11, date(2019, 4, 1), date(2023, 3, 31)), Membership(2, 11, date(2022, 4, 1)),
                Membership(2, 10),
            ]),
            {(1, 10, "joint_research"): ["together:11:2"]},
        ),
        (
            Facts(memberships=[
                Membership(1, 11, date(2019, 4, 1), date(2022, 3, 31)), Membership(2, 11, date(2022, 4, 1)),
                Membership(2, 10),
            ]),
            {},
        ),
        # A paper with somebody of the team.
        (
            Facts(memberships=[Membership(2, 10)], papers=[Paper(2, 1, 2021, "x"), Paper(1, 2, 2020, "old")]),
            {(1, 10, "joint_research"): ["paper:2:2021:x"]},
        ),
        (Facts(memberships=[Membership(2, 10, None, date(2020, 1, 1))], papers=[Paper(2, 1, 2025, "x")]), {}),
        # Ten years in total at an institution of the project, also long ago.
        (
            Facts(
                posts=[Post(1, 7, date(1990, 4, 1), date(1996, 3, 31)), Post(1, 7, date(2000, 4, 1), date(2004, 3, 31))],
                places=[Place(10, 7)],
            ),
            {(1, 10, "mentor"): ["employed:7"]},
        ),
        (
            Facts(
                posts=[Post(1, 7, date(1990, 4, 1), date(1999, 3, 31)), Post(1, 7, date(1991, 4, 1), date(1999, 3, 31))],
                places=[Place(10, 7)],
            ),
            {},
        ),
    ],
)  # fmt: skip
def test_detection_when_facts_are_given_then_finds_what_lies_in_the_windows(facts, expected):
    assert found(facts) == expected
    assert found(facts, Windows()) == {}


def test_detection_when_order_of_facts_changes_then_the_hits_are_the_same():
    facts = Facts(
        posts=[Post(1, 7), Post(3, 8)], places=[Place(10, 7), Place(12, 8)], memberships=[Membership(2, 10)],
        papers=[Paper(1, 2, 2025, "b"), Paper(1, 2, 2025, "a")],
    )  # fmt: skip
    turned = Facts(facts.posts[::-1], facts.places[::-1], facts.memberships[::-1], facts.papers[::-1])
    both = [detect([3, 1], [12, 10], one, ALL, ON) for one in (facts, turned)]
    assert both[0] == both[1]
    assert [hit.keys for hit in both[0]] == [["paper:2:2025:a", "paper:2:2025:b"], ["works_at:7"], ["works_at:8"]]


def test_window_when_it_begins_on_29_february_then_the_28th():
    assert years_before(date(2028, 2, 29), 5) == date(2023, 2, 28)


# On record ------------------------------------------------------------------------------------------------------------


def hits(person):
    return ConflictOfInterest.objects.filter(person=person, found="detected")


def at_the_lead(cast, twin, name="evaluator2"):
    """The evaluator works at the lead institution of sample-ql1-f1."""
    lead = Participation.objects.get(project=twin[F1], role="lead").organization
    return Affiliation.objects.create(
        person=cast[name].person, organization=lead, starts_on=date(2025, 4, 1), granted_by=cast["staff1"],
        approved_by=cast["staff2"],
    )  # fmt: skip


@pytest.mark.django_db
def test_hits_when_searched_twice_then_no_doubles_and_dismissed_ones_return_only_with_news(cast, twin):
    made = make_round(cast, twin)
    at_the_lead(cast, twin)
    person = cast["evaluator2"].person
    now = timezone.now()
    assert detect_conflicts(made.round, at=now) == 1
    assert detect_conflicts(made.round, at=now) == 0
    hit = hits(person).get()
    assert (hit.state, hit.kind, hit.declared_by, hit.project) == ("declared", "same_unit", None, twin[F1])
    assert "見本" in hit.evidence
    dismiss_conflict(hit, reason="部局が異なる", by=cast["staff1"], at=now)
    assert detect_conflicts(made.round, at=now) == 0
    partner = Participation.objects.filter(project=twin[F1], role="partner").first().organization
    Affiliation.objects.create(person=person, organization=partner, starts_on=date(2026, 4, 1))
    assert detect_conflicts(made.round, at=now) == 1
    again = hits(person).get(state="declared")
    confirm_conflict(again, reason="確認", by=cast["staff1"], at=now)
    assert detect_conflicts(made.round, at=now) == 0


@pytest.mark.django_db
def test_open_hit_when_there_is_more_evidence_then_takes_it_up(cast, twin):
    made = make_round(cast, twin)
    at_the_lead(cast, twin)
    detect_conflicts(made.round, at=timezone.now())
    partner = Participation.objects.filter(project=twin[F1], role="partner").first().organization
    Affiliation.objects.create(person=cast["evaluator2"].person, organization=partner, starts_on=date(2026, 4, 1))
    assert detect_conflicts(made.round, at=timezone.now()) == 0
    assert len(hits(cast["evaluator2"].person).get().evidence_items) == 2


@pytest.mark.django_db
def test_search_when_asked_by_each_of_the_cast_then_ministry_agency_and_secretariat(cast, twin):
    made = make_round(cast, twin)
    may = set()
    for name, user in cast.items():
        try:
            find_conflicts(made.round, by=user, at=timezone.now())
        except NotAllowed:
            continue
        may.add(name)
    assert may == {"staff1", "staff2", "jst1", "jst2", "secretariat1"}


@pytest.mark.django_db
def test_search_when_the_panel_and_the_cases_grow_then_asks_the_same(cast, twin):
    asked = []
    for evaluators, projects in ((2, (F1,)), (12, (F1, "sample-ql1-f2", "sample-ql2-f1", "sample-ql2-f2"))):
        made = make_round(cast, twin, projects=projects, evaluators=evaluators, declared=False)
        for n in range(1, evaluators + 1):
            if not Affiliation.objects.filter(person=cast[f"evaluator{n}"].person, starts_on=date(2025, 4, 1)).exists():
                at_the_lead(cast, twin, f"evaluator{n}")
        with CaptureQueriesContext(connection) as queries:
            assert detect_conflicts(made.round, at=timezone.now()) > 0
        asked.append(len(queries))
        type(made.cases[F1]).objects.filter(panel=made.panel).update(
            state="invalidated", invalidated_reason="別のラウンド"
        )
        ConflictOfInterest.objects.filter(found="detected").delete()
    assert asked[0] == asked[1]


def test_detection_when_40_members_meet_60_cases_then_is_quick():
    facts = Facts(
        posts=[Post(n, n % 30) for n in range(400)], places=[Place(p, p % 30) for p in range(1000, 1060)],
        memberships=[Membership(n, 1000 + n % 60) for n in range(100, 400)],
        papers=[Paper(n, n + 100, 2025, str(n)) for n in range(200)],
    )  # fmt: skip
    began = timezone.now()
    assert detect(range(40), range(1000, 1060), facts, ALL, ON)
    assert timezone.now() - began < timedelta(seconds=5)


@pytest.mark.django_db
def test_windows_when_a_program_lays_down_others_then_the_nearest_rule_holds(cast, twin):
    made = make_round(cast, twin, declared=False)
    assert windows_of(made.round) == proposed_windows() == ALL
    ConflictRule.objects.create(program=twin[F1].program, from_fiscal_year=2027, joint_research_years=1)
    assert windows_of(made.round) == ALL
    ConflictRule.objects.create(program=twin[F1].program, from_fiscal_year=2024, joint_research_years=3)
    assert windows_of(made.round) == Windows(joint_research_years=3)
    at_the_lead(cast, twin)
    assert detect_conflicts(made.round, at=timezone.now()) == 0


# Joint publications ---------------------------------------------------------------------------------------------------

HEAD = "ORCID 1,ORCID 2,発行年,題名,DOI,出典\n"
GOOD = f"{ORCIDS[1]},https://orcid.org/{ORCIDS[0]},令和6年,量子の論文,10.1000/xyz,OpenAlex\n"


def take(text, by, **more):
    return import_coauthorships(text.encode("utf-8-sig"), by=by, at=timezone.now(), **more)


@pytest.mark.django_db
def test_papers_when_imported_then_ordered_once_and_become_hits(cast, twin):
    made = make_round(cast, twin)
    person, other = cast["evaluator2"].person, cast["pi1"].person
    for one, orcid in zip((person, other), ORCIDS, strict=True):
        Person.objects.filter(pk=one.pk).update(orcid=orcid)
    assert take(HEAD + GOOD, cast["staff1"], dry_run=True).created == 1
    assert not Coauthorship.objects.exists()
    assert take(HEAD + GOOD + GOOD, cast["staff1"]).created == 1
    result = take(HEAD + GOOD, cast["secretariat1"])
    assert (result.created, result.duplicates) == (0, 1)
    row = Coauthorship.objects.get()
    assert (row.orcid_a, row.orcid_b, row.year, row.is_sample) == (ORCIDS[1], ORCIDS[0], 2024, True)
    assert detect_conflicts(made.round, at=timezone.now()) == 1
    hit = hits(person).get()
    assert (hit.kind, hit.evidence_items) == ("joint_research", [f"paper:{other.pk}:2024:10.1000/xyz"])
    assert other.name_ja in hit.evidence


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("0000-0002-1825-0098,0000-0001-5109-3700,2024,題,,出典\n", "orcid_check_digit"),
        ("0000-0002,0000-0001-5109-3700,2024,題,,出典\n", "orcid_form"),
        (f"{ORCIDS[0]},{ORCIDS[0]},2024,題,,出典\n", "same_person"),
        (f"{ORCIDS[0]},{ORCIDS[1]},2024,,,出典\n", "unnamed"),
        (f"{ORCIDS[0]},{ORCIDS[1]},,題,,出典\n", "required"),
        (f"{ORCIDS[0]},{ORCIDS[1]},いつか,題,,出典\n", "year_not_understood"),
        (f"{ORCIDS[0]},{ORCIDS[1]},1492,題,,出典\n", "year"),
        (f"{ORCIDS[0]},{ORCIDS[1]},2024,=cmd(),,出典\n", "formula"),
        (f"{ORCIDS[0]},{ORCIDS[1]},2024,{'題' * 301},,出典\n", "too_long"),
        (f"{ORCIDS[0]},{ORCIDS[1]},2024,題,,出典,余り\n", "too_many"),
    ],
)
def test_papers_when_a_line_is_wrong_then_named_and_nothing_written(cast, line, code):
    with pytest.raises(NotReady) as refusal:
        take(HEAD + GOOD + line, cast["staff1"])
    assert [blocker.code for blocker in refusal.value.blockers] == [code]
    assert "3行" in refusal.value.blockers[0].message or "3" in refusal.value.blockers[0].message
    assert not Coauthorship.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["", HEAD, "a,b\n1,2\n", "ORCID 1,ORCID 2\nx,y\n"])
def test_papers_when_the_file_is_none_then_refused(cast, text):
    with pytest.raises(Refused):
        take(text, cast["staff1"])


@pytest.mark.django_db
def test_papers_when_imported_by_others_then_refused(cast):
    may = set()
    for name, user in cast.items():
        try:
            take(HEAD + GOOD, user, dry_run=True)
        except NotAllowed:
            continue
        may.add(name)
    assert may == {"staff1", "staff2", "jst1", "jst2", "secretariat1"}
