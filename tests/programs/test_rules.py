"""Who sees and may do what, role by role, over the standing cast; a confirmed conflict beats every role."""

from datetime import date, timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from accounts.models import Organization
from accounts.queries import AgencyClient
from programs.models import AreaDirector, OutcomeIndicator, Program, Project, ProjectRecusal, ResearchArea
from programs.queries import areas_visible_to, programs_visible_to, projects_visible_to
from programs.rules import actions_allowed, indicators_writable, may_see_portfolio
from tests.cast import again

pytestmark = pytest.mark.django_db

AREA_1 = {"sample-ql1-f1", "sample-ql1-f2", *(f"sample-ql1-b{n}" for n in range(1, 7))}
AREA_2 = {"sample-ql2-f1", "sample-ql2-f2", *(f"sample-ql2-b{n}" for n in range(1, 8))}
AREA_3 = {"sample-ql3-f1", *(f"sample-ql3-b{n}" for n in range(1, 5))}
AREA_4 = {f"sample-ql4-h{n}" for n in range(1, 5)}
TWIN = AREA_1 | AREA_2 | AREA_3 | AREA_4
F1 = "sample-ql1-f1"

SEES = {
    "pd1": AREA_1, "deputy1": AREA_1, "pd2": AREA_2, "pd3": AREA_3, "pd4": AREA_4,
    "po1": AREA_1 | AREA_2, "po2": AREA_3 | AREA_4, "jst1": TWIN, "jst2": TWIN,
    "hq1": {F1}, "pi1": {F1}, "coinvestigator1": {F1}, "pi2": {"sample-ql1-f2"},
    "pi5": {"sample-ql3-f1", "sample-ql3-b1", "sample-ql4-h1"},
    "nedo1": set(), "secretariat1": set(), "evaluator1": set(), "evaluator2": set(), "chair1": set(),
    "security1": set(), "cabinet1": set(), "user_ministry1": set(), "applicant1": set(),
}  # fmt: skip


def seen(user):
    return set(projects_visible_to(user).values_list("ref", flat=True))


@pytest.mark.parametrize("name", list(SEES))
def test_projects_visible_for_each_role_are_exactly_its_scope(cast, name):
    assert set(Project.objects.filter(ref__in=TWIN).values_list("ref", flat=True)) == TWIN
    assert seen(cast[name]) == SEES[name]


@pytest.mark.parametrize("name", ["staff1", "staff2", "auditor1"])
def test_projects_visible_for_staff_and_auditor_are_the_twin_and_the_real_ones(cast, name):
    everything = set(Project.objects.values_list("ref", flat=True))
    assert everything > TWIN
    assert seen(cast[name]) == everything


@pytest.mark.parametrize("name", ["office1", "office2", "accountant1"])
def test_projects_visible_for_an_office_are_those_its_institution_takes_part_in(cast, name):
    grants = cast[name].person
    organization = Organization.objects.get(role_grants__person=grants)
    taking_part = Project.objects.filter(participations__organization=organization)
    assert seen(cast[name]) == set(taking_part.values_list("ref", flat=True))
    assert F1 in seen(cast[name]) < TWIN


@pytest.mark.parametrize("principal", [AnonymousUser(), None])
def test_nothing_is_visible_without_sign_in(cast, principal):
    assert seen(principal) == set()
    assert not programs_visible_to(principal).exists()
    assert not may_see_portfolio(principal)


def test_nothing_is_visible_for_a_user_who_was_switched_off(cast):
    user = cast["staff1"]
    user.is_active = False
    assert seen(user) == set()


@pytest.mark.parametrize("name", [*SEES, "staff1", "auditor1", "office1"])
def test_condition_equals_predicate_for_every_project(cast, name):
    """What a list shows and what one page allows come from the same rule."""
    user = cast[name]
    listed = seen(user)
    for project in Project.objects.filter(ref__in={F1, "sample-ql2-b1", "sample-ql4-h1", "ql1-f1", "dxmt-1"}):
        assert ("project.view" in actions_allowed(user, project)) == (project.ref in listed)


# Recusals -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["staff1", "pd1", "deputy1", "po1", "hq1", "pi1", "coinvestigator1", "office1", "jst1", "auditor1"]
)
def test_projects_visible_when_recused_then_that_project_is_gone_whatever_the_role(cast, name):
    user = cast[name]
    before = seen(user)
    assert F1 in before
    project = Project.objects.get(ref=F1)
    ProjectRecusal.objects.create(person=user.person, project=project, starts_on=date(2022, 4, 1), source_ref="COI-T")
    user = again(user)
    assert seen(user) == before - {F1}
    assert actions_allowed(user, project) == set()


def test_recusal_holds_only_between_its_days_and_only_for_its_person(cast):
    user, other = cast["pd1"], cast["deputy1"]
    today = timezone.localdate()
    recusal = ProjectRecusal.objects.create(
        person=user.person, project=Project.objects.get(ref=F1), starts_on=today, ends_on=today, source_ref="COI-T"
    )
    assert (F1 in seen(again(user)), F1 in seen(other)) == (False, True)
    for starts_on, ends_on in [
        (today - timedelta(days=9), today - timedelta(days=1)), (today + timedelta(days=1), None),
    ]:  # fmt: skip
        recusal.starts_on, recusal.ends_on = starts_on, ends_on
        recusal.save()
        assert F1 in seen(again(user))


def test_evaluator_with_a_confirmed_conflict_is_recused_from_the_flagship(cast):
    assert ProjectRecusal.objects.filter(person=cast["evaluator1"].person, project__ref=F1).exists()


# Time and approval ----------------------------------------------------------------------------------------------------


def test_director_whose_term_ended_yesterday_sees_nothing_any_more(cast):
    yesterday = timezone.localdate() - timedelta(days=1)
    AreaDirector.objects.filter(person=cast["pd1"].person).update(ends_on=yesterday)
    assert seen(again(cast["pd1"])) == set()
    AreaDirector.objects.filter(person=cast["pd1"].person).update(ends_on=timezone.localdate())
    assert seen(again(cast["pd1"])) == AREA_1


def test_director_who_is_not_approved_sees_nothing(cast):
    AreaDirector.objects.filter(person=cast["pd1"].person).update(approved_by=None)
    assert seen(again(cast["pd1"])) == set()


# Programs and areas ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["pd1", "deputy1", "po1", "hq1", "pi1", "coinvestigator1", "office1", "jst1"])
def test_programs_visible_for_the_twins_people_are_the_twin_alone(cast, name):
    assert list(programs_visible_to(cast[name]).values_list("ref", flat=True)) == ["q-leap-sample"]
    assert areas_visible_to(cast[name]).count() == 4


@pytest.mark.parametrize("name", ["secretariat1", "evaluator1", "chair1", "applicant1", "nedo1", "cabinet1"])
def test_programs_visible_for_the_others_are_none(cast, name):
    assert Program.objects.exists()
    assert not programs_visible_to(cast[name]).exists()
    assert not areas_visible_to(cast[name]).exists()


def test_programs_visible_for_staff_and_auditor_are_all(cast):
    for name in ("staff1", "auditor1"):
        assert programs_visible_to(cast[name]).count() == Program.objects.count() >= 12


def test_portfolio_is_for_staff_directors_officers_and_auditors(cast):
    assert {name for name, user in cast.items() if may_see_portfolio(user)} == {
        "staff1", "staff2", "pd1", "pd2", "pd3", "pd4", "deputy1", "po1", "po2", "auditor1",
    }  # fmt: skip


# Clients --------------------------------------------------------------------------------------------------------------


def client_of(ref):
    return AgencyClient(Organization.objects.get(ref=ref).pk, ref, "0123456789")


def test_client_sees_the_programs_its_agency_runs_and_what_is_below(cast):
    assert seen(client_of("sample-jst")) == TWIN
    assert set(programs_visible_to(client_of("jst")).values_list("ref", flat=True)) == {"aip-netlab", "k-program"}
    assert seen(client_of("jst")) == set()
    assert not programs_visible_to(client_of("riken")).exists()


# Acts -----------------------------------------------------------------------------------------------------------------


ACTS = {
    "pd1": {"project.view", "project.history", "project.assess_trl"},
    "deputy1": {"project.view", "project.history", "project.assess_trl"},
    "po1": {"project.view", "project.history"},
    "staff1": {"project.view", "project.history"},
    "auditor1": {"project.view", "project.history"},
    "pi1": {"project.view", "project.history", "project.claim_trl"},
    "hq1": {"project.view", "project.history", "project.claim_trl"},
    "coinvestigator1": {"project.view"},
    "office1": {"project.view"},
    "jst1": {"project.view"},
    "pd2": set(), "pi2": set(), "evaluator1": set(), "applicant1": set(),
}  # fmt: skip


@pytest.mark.parametrize("name", list(ACTS))
def test_actions_allowed_on_a_flagship_for_each_role(cast, name):
    acts = {"project.view", "project.history", "project.claim_trl", "project.assess_trl"}
    assert actions_allowed(cast[name], Project.objects.get(ref=F1)) & acts == ACTS[name]


def test_actions_allowed_on_areas_and_programs(cast):
    area = ResearchArea.objects.get(ref="sample-ql1")
    assert actions_allowed(cast["staff1"], area) == {"area.view", "area.export", "area.appoint_director"}
    assert actions_allowed(cast["pd1"], area) == {"area.view", "area.export"}
    assert actions_allowed(cast["pi1"], area) == {"area.view"}
    assert actions_allowed(cast["applicant1"], area) == set()
    assert actions_allowed(cast["auditor1"], area.program) == {"program.view", "program.export"}


def test_indicators_writable_for_staff_and_for_clients_of_the_agency_alone(cast):
    def writable(who):
        return set(OutcomeIndicator.objects.filter(indicators_writable(who)).values_list("ref", flat=True))

    everything = set(OutcomeIndicator.objects.values_list("ref", flat=True))
    twins = set(OutcomeIndicator.objects.filter(program__is_sample=True).values_list("ref", flat=True))
    assert twins
    assert twins < everything
    assert writable(cast["staff1"]) == everything
    assert writable(client_of("sample-jst")) == twins
    for who in (cast["pd1"], cast["auditor1"], cast["jst1"], client_of("jst"), AnonymousUser()):
        assert writable(who) == set()
