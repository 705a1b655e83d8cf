"""The sample twin: the structure and printed money of Q-LEAP, everything else invented, marked and kept apart."""

from datetime import date

import pytest
from django.db import DatabaseError, transaction
from django.db.models import Count, Sum
from django.utils.translation import override

from accounts.models import Organization, Person, RoleGrant
from common.models import JournalEntry
from evaluations.models import ConflictOfInterest
from programs.models import (
    AreaDirector,
    AwardNumber,
    BudgetLine,
    FundEdge,
    Headquarters,
    IndicatorObservation,
    Milestone,
    Participation,
    PolicyBasis,
    Program,
    ProjectComplement,
    ProjectMember,
    ResearchArea,
    TrlAssessment,
)
from reporting.sample_cast import CAST, build_sample
from reporting.sample_records import SampleRefused
from tests.cast import TODAY

PRINTED = ("fiscal_year", "kind", "amount_yen", "is_estimate", "is_new", "printed_unit")


def counts():
    models = (
        Person, Organization, RoleGrant, Program, Participation, FundEdge, TrlAssessment, IndicatorObservation,
        Milestone, ProjectMember, ConflictOfInterest, JournalEntry,
    )  # fmt: skip
    return {model.__name__: model.objects.count() for model in models}


def test_sample_when_built_again_then_nothing_changes(cast):
    before = counts()
    again = build_sample(on=TODAY)
    assert (again.people_made, again.roles_made, again.records_made) == (0, 0, 0)
    assert counts() == before


def test_sample_when_built_as_of_a_later_day_then_only_what_has_happened_since_is_added(cast):
    milestone = Milestone.objects.create(
        project_id=ProjectMember.objects.first().project_id, number=99, title="x", planned_on=TODAY
    )
    before = counts()
    build_sample(on=date(2027, 6, 3))
    after = counts()
    grown = {name for name in after if after[name] != before[name]}
    assert grown <= {"FundEdge", "IndicatorObservation", "JournalEntry", "TrlAssessment"}
    assert Milestone.objects.filter(pk=milestone.pk).exists()


def test_sample_when_in_production_then_refused(cast, settings):
    settings.APP_ENVIRONMENT = "production"
    with override("en"), pytest.raises(SampleRefused, match="production refuses it"):
        build_sample(on=TODAY)


def test_twin_when_compared_with_the_real_program_then_same_structure_and_printed_money(cast, twin_program):
    real = Program.objects.get(ref="q-leap")
    lines = {
        program.ref: list(program.budget_lines.order_by("fiscal_year", "kind").values_list(*PRINTED))
        for program in (twin_program, real)
    }
    assert lines["q-leap-sample"] == lines["q-leap"]
    kinds = {
        program.ref: list(program.projects.order_by("ref").values_list("area__number", "kind", "target_trl"))
        for program in (twin_program, real)
    }
    assert kinds["q-leap-sample"] == kinds["q-leap"]
    assert len(kinds["q-leap-sample"]) == 26
    assert ProjectComplement.objects.filter(basic__program=twin_program).count() == (
        ProjectComplement.objects.filter(basic__program=real).count()
    )
    assert Headquarters.objects.filter(project__program=twin_program).count() == 5


def test_twin_when_looked_at_then_nothing_real_hangs_on_it(cast, twin_program):
    assert not AwardNumber.objects.filter(project__program=twin_program).exists()
    assert not PolicyBasis.objects.filter(program=twin_program).exists()
    assert not Participation.objects.filter(project__program=twin_program, organization__is_sample=False).exists()
    assert not ProjectMember.objects.filter(project__program=twin_program, person__is_sample=False).exists()
    titles = [t for t in twin_program.projects.values_list("title_ja", flat=True) if t]
    assert len(titles) == 24
    assert all(title.endswith("(見本)") for title in titles)


def test_real_project_when_a_sample_person_is_put_on_it_then_the_database_refuses(cast):
    area = ResearchArea.objects.get(ref="ql1")
    with pytest.raises(DatabaseError, match="sample record cannot hang on a real one"), transaction.atomic():
        AreaDirector.objects.create(area=area, person=cast["pd1"].person, starts_on=TODAY)


def test_lead_institutions_when_mapped_then_one_sample_for_each_real_one(cast, twin_program):
    def leads(program):
        rows = Participation.objects.filter(project__program=program, role="lead").order_by("project__ref")
        return list(rows.values_list("project__ref", "organization__ref"))

    real = leads(Program.objects.get(ref="q-leap"))
    mine = leads(twin_program)
    pairs = {(r[1], m[1]) for r, m in zip(real, mine, strict=True)}
    assert len(pairs) == len({r for r, _m in pairs}) == len({m for _r, m in pairs}) == 14


def test_allocation_when_summed_then_within_the_scale_of_an_area_and_every_part_adds_up(cast, twin_program):
    into_areas = FundEdge.objects.filter(target__area__program=twin_program)
    assert into_areas.count() == 2 * 3 + 7 * 4
    assert all(
        twin_program.area_scale_min_yen <= edge.amount_yen <= twin_program.area_scale_max_yen for edge in into_areas
    )
    for edge in into_areas:
        parts = FundEdge.objects.filter(source=edge.target, fiscal_year=edge.fiscal_year).aggregate(s=Sum("amount_yen"))
        assert parts["s"] == edge.amount_yen
    into_flagships = FundEdge.objects.filter(target__project__in=twin_program.projects.filter(kind="flagship"))
    for edge in into_flagships.filter(target__kind="project"):
        parts = FundEdge.objects.filter(source=edge.target, fiscal_year=edge.fiscal_year).aggregate(s=Sum("amount_yen"))
        assert parts["s"] == edge.amount_yen
    printed = BudgetLine.objects.get(program=twin_program, fiscal_year=2022).amount_yen
    assert into_areas.filter(fiscal_year=2022).aggregate(s=Sum("amount_yen"))["s"] <= printed


def test_flagships_when_looked_at_then_each_has_a_plan_a_history_and_a_team(cast, twin):
    for ref in ("sample-ql1-f1", "sample-ql1-f2", "sample-ql2-f1", "sample-ql2-f2", "sample-ql3-f1"):
        project = twin[ref]
        assert 4 <= project.milestones.count() <= 5
        assert project.milestones.filter(reached_on__isnull=True).exists()
        late = [m for m in project.milestones.all() if m.reached_on and m.reached_on > m.planned_on]
        assert late
        kinds = dict(project.trl_assessments.values_list("kind").annotate(n=Count("id")))
        assert kinds["planned"] == 5
        assert kinds["claimed"] >= kinds["assessed"] >= 3
        assert project.members.count() == 2


def test_cast_when_looked_at_then_every_member_is_a_marked_sample_with_a_fixed_address(cast):
    assert set(cast) == {member.name for member in CAST}
    assert {user.email for user in cast.values()} == {f"{name}@sample.example" for name in cast}
    assert all(user.person.is_sample and user.person.name_ja.startswith("見本 ") for user in cast.values())
    assert not any(user.has_usable_password() for user in cast.values())


def test_roles_when_granted_to_the_cast_then_always_by_two_people_and_never_by_the_holder(cast):
    grants = [*RoleGrant.objects.filter(person__is_sample=True), *AreaDirector.objects.all()]
    assert len(grants) > 25
    for grant in grants:
        assert grant.approved_by_id is not None
        assert grant.approved_by_id != grant.granted_by_id
        assert grant.approved_by.person_id != grant.person_id
