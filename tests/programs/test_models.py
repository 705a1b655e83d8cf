"""What the database itself refuses, in raw SQL too: two directors at once, mixed samples, illegal steps, bad figures."""

from datetime import date

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from accounts.models import Organization, Person
from common.models import JournalEntry
from common.states import edges
from programs.models import (
    AreaDirector,
    BudgetLine,
    Deliverable,
    IndicatorObservation,
    IndicatorTarget,
    Participation,
    PolicyBasis,
    Program,
    Project,
    ProjectComplement,
    ProjectMember,
    ResearchArea,
    TrlAssessment,
    TrlLevel,
)
from programs.states import DELIVERABLE_MOVES, PROJECT_MOVES

pytestmark = pytest.mark.django_db


def run_sql(statement, *values):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


@pytest.fixture
def real():
    """A real program with an area and a project, beside the sample twin that is there already."""
    program = Program.objects.create(ref="real", name_ja="実在", kind="flagship_basic", path="real/")
    area = ResearchArea.objects.create(ref="real-1", program=program, number=1, name_ja="領域")
    project = Project.objects.create(ref="real-1-f1", program=program, area=area, kind="flagship")
    return program, area, project


@pytest.fixture
def person():
    return Person.objects.create(name_ja="試験用")


# Directors ------------------------------------------------------------------------------------------------------------


TERMS = [
    ("2024-03-31", "2025-03-31", False),  # the last day is included: it overlaps by one day
    ("2024-04-01", "2025-03-31", True),
    ("2019-04-01", "2020-03-31", True),
    ("2019-04-01", "2020-04-01", False),
    ("2019-04-01", None, False),
    ("2024-04-01", None, True),
    ("2021-01-01", "2021-01-01", False),
]


@pytest.mark.parametrize(("starts_on", "ends_on", "fits"), TERMS)
def test_director_when_dates_overlap_another_term_then_the_database_refuses(real, person, starts_on, ends_on, fits):
    area = real[1]
    AreaDirector.objects.create(area=area, person=person, starts_on=date(2020, 4, 1), ends_on=date(2024, 3, 31))
    insert = "INSERT INTO programs_areadirector (area_id, person_id, starts_on, ends_on) VALUES (%s, %s, %s, %s)"
    if fits:
        run_sql(insert, area.pk, person.pk, starts_on, ends_on)
        assert area.directors.count() == 2
    else:
        with pytest.raises(IntegrityError, match="one_director_at_a_time"):
            run_sql(insert, area.pk, person.pk, starts_on, ends_on)


def test_director_when_the_other_term_is_in_another_area_then_both_hold(real, person):
    program, area, _project = real
    other = ResearchArea.objects.create(ref="real-2", program=program, number=2, name_ja="領域2")
    for where in (area, other):
        AreaDirector.objects.create(area=where, person=person, starts_on=date(2020, 4, 1))
    assert AreaDirector.objects.filter(person=person).count() == 2


def test_term_when_dates_or_people_do_not_fit_then_the_database_refuses(real, person, cast):
    area, officer = real[1], cast["staff1"]
    with pytest.raises(IntegrityError, match="areadirector_dates_in_order"), transaction.atomic():
        AreaDirector.objects.create(area=area, person=person, starts_on=date(2020, 4, 1), ends_on=date(2020, 3, 31))
    with pytest.raises(IntegrityError, match="areadirector_two_people"), transaction.atomic():
        AreaDirector.objects.create(
            area=area, person=person, starts_on=date(2020, 4, 1), granted_by=officer, approved_by=officer
        )


# Sample and real never mix --------------------------------------------------------------------------------------------


def test_sample_person_when_put_on_real_records_in_raw_sql_then_refused(real, cast):
    _program, area, project = real
    sample = cast["pd1"].person
    organization = Organization.objects.create(ref="real-org", name_ja="実在機関")
    with pytest.raises(IntegrityError, match="a sample record cannot hang on a real one"):
        run_sql(
            "INSERT INTO programs_projectmember (project_id, person_id, organization_id, role, starts_on) "
            "VALUES (%s, %s, %s, 'principal_investigator', '2022-04-01')",
            project.pk, sample.pk, organization.pk,
        )  # fmt: skip
    with pytest.raises(IntegrityError, match="a sample record cannot hang on a real one"):
        run_sql(
            "INSERT INTO programs_areadirector (area_id, person_id, starts_on) VALUES (%s, %s, '2022-04-01')",
            area.pk, sample.pk,
        )  # fmt: skip
    assert not ProjectMember.objects.filter(project=project).exists()


def test_sample_organization_when_put_on_real_records_in_raw_sql_then_refused(real, twin):
    program, _area, project = real
    sample = Participation.objects.filter(project__ref="sample-ql1-f1", role="lead").get().organization
    assert sample.is_sample
    insert = (
        "INSERT INTO programs_participation (program_id, project_id, organization_id, role) VALUES (%s, %s, %s, %s)"
    )
    for values in [(None, project.pk, sample.pk, "partner"), (program.pk, None, sample.pk, "hub")]:
        with pytest.raises(IntegrityError, match="a sample record cannot hang on a real one"):
            run_sql(insert, *values)


def test_sample_mark_when_it_differs_from_the_program_then_refused(real, twin_program):
    program, area, project = real
    with pytest.raises(IntegrityError, match="sample and real records do not mix"):
        run_sql("UPDATE programs_project SET is_sample = true WHERE id = %s", project.pk)
    with pytest.raises(IntegrityError, match="sample and real records do not mix"):
        run_sql("UPDATE programs_researcharea SET program_id = %s WHERE id = %s", twin_program.pk, area.pk)
    with pytest.raises(IntegrityError, match="sample and real records do not mix"):
        run_sql("UPDATE programs_program SET parent_id = %s WHERE id = %s", program.pk, twin_program.pk)


# States ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", Project.State.values)
@pytest.mark.parametrize("source", Project.State.values)
def test_project_state_in_raw_sql_moves_only_along_the_table(real, source, target):
    project = Project.objects.create(ref=f"from-{source}", program=real[0], kind="basic", state=source)
    step = "UPDATE programs_project SET state = %s WHERE id = %s"
    if source == target or (source, target) in edges(PROJECT_MOVES):
        run_sql(step, target, project.pk)
        project.refresh_from_db()
        assert project.state == target
    else:
        with pytest.raises(DatabaseError, match=f"[Ii]nvalid transition.*{source}.*{target}"):
            run_sql(step, target, project.pk)


def test_deliverable_when_taken_back_in_raw_sql_then_refused(real):
    assert edges(DELIVERABLE_MOVES) == [("awaited", "delivered")]
    deliverable = Deliverable.objects.create(
        project=real[2], kind="annual_report", fiscal_year=2025, due_on=date(2026, 5, 31)
    )
    run_sql(
        "UPDATE programs_deliverable SET state = 'delivered', delivered_at = now(), content_hash = 'a' WHERE id = %s",
        deliverable.pk,
    )
    with pytest.raises(DatabaseError, match=r"[Ii]nvalid transition"):
        run_sql("UPDATE programs_deliverable SET state = 'awaited', delivered_at = NULL WHERE id = %s", deliverable.pk)


def test_deliverable_when_delivered_without_time_or_hash_then_refused(real):
    for missing in ("delivered_at = now()", "content_hash = 'a'"):
        deliverable = Deliverable.objects.create(
            project=real[2], kind="annual_report", fiscal_year=2000 + len(missing), due_on=date(2026, 5, 31)
        )
        with pytest.raises(IntegrityError, match="deliverable_delivered_has_time"):
            run_sql(f"UPDATE programs_deliverable SET state = 'delivered', {missing} WHERE id = %s", deliverable.pk)


# Append-only ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [TrlAssessment, IndicatorObservation, JournalEntry])
@pytest.mark.parametrize("statement", ["UPDATE {table} SET id = id", "DELETE FROM {table}"])
def test_append_only_table_when_changed_in_raw_sql_then_refused(cast, model, statement):
    there = model.objects.count()
    assert there > 0
    with pytest.raises(DatabaseError, match=r"[Cc]annot (update|delete)"):
        run_sql(statement.format(table=model._meta.db_table))
    assert model.objects.count() == there


# Figures and words ----------------------------------------------------------------------------------------------------


BAD_ROWS = [
    ("budget_line_negative_is_reduction", BudgetLine, {"amount_yen": -1}),
    ("budget_line_kind_known", BudgetLine, {"kind": "guess"}),
    ("budget_line_unit_known", BudgetLine, {"printed_unit": "yen"}),
]


@pytest.mark.parametrize(("constraint", "model", "bad"), BAD_ROWS)
def test_budget_line_when_bad_then_the_database_refuses(real, constraint, model, bad):
    good = {"program": real[0], "fiscal_year": 2022, "kind": "initial", "amount_yen": 1, "printed_unit": "million"}
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        model.objects.create(**{**good, **bad})
    model.objects.create(**good)
    with pytest.raises(IntegrityError, match="budget_line_once"), transaction.atomic():
        model.objects.create(**good)


def test_records_when_they_contradict_themselves_then_the_database_refuses(real):
    program, area, project = real
    level = TrlLevel.objects.get(scale__is_default=True, number=4)
    refused = [
        ("program_kind_known", lambda: Program.objects.create(ref="x", name_ja="x", path="x/", kind="lab")),
        ("program_years_in_order", lambda: Program.objects.create(
            ref="x", name_ja="x", path="x/", kind="package", start_fiscal_year=2022, end_fiscal_year=2021)),
        ("area_number_once", lambda: ResearchArea.objects.create(ref="x", program=program, number=1, name_ja="x")),
        ("project_target_trl", lambda: Project.objects.create(ref="x", program=program, kind="basic", target_trl=10)),
        ("project_kind_known", lambda: Project.objects.create(ref="x", program=program, kind="moonshot")),
        ("complement_two_projects", lambda: ProjectComplement.objects.create(basic=project, flagship=project)),
        ("policy_basis_date", lambda: PolicyBasis.objects.create(program=program, document_ja="x", decided_on="2021")),
        ("trl_claim_has_evidence", lambda: TrlAssessment.objects.create(
            project=project, kind="claimed", level=level, on=date(2026, 4, 1), by_label="x")),
        ("deliverable_delivered_has_time", lambda: Deliverable.objects.create(
            project=project, kind="annual_report", fiscal_year=2025, due_on=date(2026, 5, 31), state="delivered")),
    ]  # fmt: skip
    for constraint, attempt in refused:
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            attempt()
    assert area.projects.get() == project


def test_participation_when_two_lead_or_role_does_not_fit_then_the_database_refuses(real):
    program, _area, project = real
    one, two = (Organization.objects.create(ref=f"real-org-{n}", name_ja=f"機関{n}") for n in (1, 2))
    Participation.objects.create(project=project, organization=one, role="lead")
    refused = [
        ("one_lead_institution", {"project": project, "role": "lead"}),
        ("participation_role_fits", {"project": project, "role": "hub"}),
        ("participation_role_fits", {"program": program, "role": "lead"}),
        ("participation_of_one", {"program": program, "project": project, "role": "partner"}),
    ]
    for constraint, values in refused:
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            Participation.objects.create(organization=two, **values)


def test_target_when_the_same_year_comes_twice_then_refused_also_without_year(real):
    indicator = real[0].indicators.create(
        ref="real-count", name_ja="件数", unit="件", direction="at_least", kind="outcome"
    )
    for year in (2025, None):
        IndicatorTarget.objects.create(indicator=indicator, calendar_year=year, value=1)
        with pytest.raises(IntegrityError, match="target_once"), transaction.atomic():
            IndicatorTarget.objects.create(indicator=indicator, calendar_year=year, value=2)
