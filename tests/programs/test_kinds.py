"""What only one kind of project has: education programs with their parts, challenge goals; kept by the team."""

from datetime import date, datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Organization
from common.audit import history_of
from common.errors import NotAllowed, NotReady, Refused
from common.fiscal_year import JAPAN
from programs.actions.kinds import remove_of_kind, save_of_kind
from programs.actions.recusals import recuse
from programs.models import AdoptingInstitution, ChallengeGoal, LearnerCount, TrainingModule, TrainingProgram
from programs.queries import projects_visible_to
from programs.queries.kinds import figures_by_area, figures_of, training_sheets
from reporting.sample_kinds import record_education, record_goals
from tests.cast import again

pytestmark = pytest.mark.django_db
AT = datetime(2026, 6, 4, 9, 0, tzinfo=JAPAN)
NAMES = {"name_ja": "共通教育", "name_en": "", "aim": ""}


@pytest.fixture
def how(cast):
    return {"by": cast["pi5"], "at": AT}


@pytest.fixture
def school(twin):
    return twin["sample-ql4-h1"]


@pytest.fixture
def training(school, how):
    return save_of_kind(school, TrainingProgram, values=NAMES, **how)


def module(training, how, name="講義", **more):
    values = {"training": training, "name_ja": name, "kind": "lecture", "level": "introductory", "hours": Decimal("15")}
    return save_of_kind(training.project, TrainingModule, values=values | more, **how)


def learners(training, how, year=2025, kind="graduates", number=10, **more):
    values = {"training": training, "fiscal_year": year, "kind": kind, "number": number}
    return save_of_kind(training.project, LearnerCount, values=values, **how, **more)


def goal(project, how, **more):
    values = {"text": "挑戦", "due_on": date(2027, 3, 31), "achieved_on": None, "shown_by": ""}
    return save_of_kind(project, ChallengeGoal, values=values | more, **how)


def test_program_when_filled_then_read_with_its_parts_and_counted_from_raw_rows(cast, school, training, how):
    first, second = module(training, how), module(training, how, "演習", kind="exercise")
    learners(training, how)
    learners(training, how, kind="working", number=5)
    learners(training, how, year=2024)
    adopter = {"training": training, "organization": None, "name": "見本校", "since_fiscal_year": 2025}
    save_of_kind(school, AdoptingInstitution, values=adopter | {"modules": [second]}, **how)
    (sheet,) = training_sheets(school)
    assert (sheet.modules, [(one.fiscal_year, one.total) for one in sheet.years]) == (
        [first, second], [(2025, 15), (2024, 10)],
    )  # fmt: skip
    assert [(one.called, list(one.modules.all())) for one in sheet.adopters] == [("見本校", [second])]
    figures = figures_of(school)
    assert (figures.modules, figures.learners, figures.adopters, figures.goals) == (2, 25, 1, 0)
    seen = figures_by_area(projects_visible_to(cast["staff1"]).filter(area=school.area))[school.area_id]
    assert (seen.modules, seen.learners, seen.adopters, seen.counts) == (2, 25, 1, {"human_resources": 4})
    assert training.is_sample
    assert [row.action for row in history_of(school).order_by("-pk")[:2]] == [
        "save_adoptinginstitution", "save_learnercount",
    ]  # fmt: skip


def test_learners_when_corrected_then_the_journal_keeps_the_number_before(school, training, how):
    made = learners(training, how)
    learners(training, how, number=12, pk=made.pk)
    assert [one.number for one in LearnerCount.objects.filter(training=training)] == [12]
    row = history_of(school).order_by("-pk").first()
    assert (row.before["number"], row.after["number"]) == ("10", "12")


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"name": ""}, "name_ja"), ({"kind": "party"}, "kind"), ({"level": "highest"}, "level"),
        ({"hours": Decimal(0)}, "hours"), ({"hours": Decimal("1.25")}, "hours"), ({"hours": Decimal(99999)}, "hours"),
    ],
)  # fmt: skip
def test_module_when_wrong_then_the_field_is_named_and_nothing_written(training, how, more, field):
    with pytest.raises(NotReady) as refusal:
        module(training, how, **more)
    assert [blocker.field for blocker in refusal.value.blockers] == [field]
    assert not TrainingModule.objects.filter(training=training).exists()


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"year": 2027}, "fiscal_year"),
        ({"year": 20}, "fiscal_year"),
        ({"kind": "cats"}, "kind"),
        ({"number": -1}, "number"),
    ],
)
def test_learners_when_wrong_then_the_field_is_named(training, how, more, field):
    with pytest.raises(NotReady) as refusal:
        learners(training, how, **more)
    assert field in [blocker.field for blocker in refusal.value.blockers]


def test_records_when_there_already_then_said_beside_the_field(school, training, how):
    module(training, how)
    learners(training, how)
    for act, field in ((lambda: module(training, how), "name_ja"), (lambda: learners(training, how), "kind")):
        with pytest.raises(NotReady) as refusal:
            act()
        assert [(b.field, b.code) for b in refusal.value.blockers] == [(field, "twice")]
    with pytest.raises(NotReady) as refusal:
        save_of_kind(school, TrainingProgram, values=NAMES, **how)
    assert [b.field for b in refusal.value.blockers] == ["name_ja"]


def test_adopter_when_both_or_neither_is_named_then_refused(school, training, how):
    organization = Organization.objects.get(ref="sample-college")
    values = {"training": training, "since_fiscal_year": 2025, "modules": []}
    for named in ({"organization": None, "name": ""}, {"organization": organization, "name": "見本大学"}):
        with pytest.raises(NotReady) as refusal:
            save_of_kind(school, AdoptingInstitution, values=values | named, **how)
        assert [b.field for b in refusal.value.blockers] == ["organization"]


def test_parts_when_of_another_project_then_refused(cast, twin, training, how):
    other = TrainingProgram.objects.create(project=twin["sample-ql4-h2"], name_ja="別", is_sample=True)
    foreign = TrainingModule.objects.create(
        training=other, name_ja="別", kind="lecture", level="advanced", hours=Decimal(1)
    )
    values = {"training": other, "fiscal_year": 2025, "kind": "graduates", "number": 1}
    with pytest.raises(NotReady) as refusal:
        save_of_kind(training.project, LearnerCount, values=values, **how)
    assert [b.field for b in refusal.value.blockers] == ["training"]
    values = {"training": training, "organization": None, "name": "校", "since_fiscal_year": 2025, "modules": [foreign]}
    with pytest.raises(NotReady) as refusal:
        save_of_kind(training.project, AdoptingInstitution, values=values, **how)
    assert [b.field for b in refusal.value.blockers] == ["modules"]
    with pytest.raises(Refused, match=r"."):
        remove_of_kind(training.project, TrainingModule, pk=foreign.pk, **how)
    assert TrainingModule.objects.filter(pk=foreign.pk).exists()


def test_real_institution_when_on_sample_then_taken_but_sample_on_real_is_refused_by_the_database(twin):
    real = TrainingProgram.objects.create(project=_real(), name_ja="実", is_sample=False)
    sample = Organization.objects.get(ref="sample-college")
    with pytest.raises(IntegrityError), transaction.atomic():
        AdoptingInstitution.objects.create(training=real, organization=sample, since_fiscal_year=2025)
    with pytest.raises(IntegrityError), transaction.atomic():
        TrainingProgram.objects.create(project=_real(), name_ja="印違い", is_sample=True)


def _real():
    from programs.models import Project

    return Project.objects.filter(is_sample=False, kind="human_resources").first()


def test_removal_when_something_hangs_on_it_then_refused_else_gone_with_a_row(school, training, how):
    made = module(training, how)
    with pytest.raises(Refused) as refusal:
        remove_of_kind(school, TrainingProgram, pk=training.pk, **how)
    assert refusal.value.code == "in_use"
    remove_of_kind(school, TrainingModule, pk=made.pk, **how)
    remove_of_kind(school, TrainingProgram, pk=training.pk, **how)
    assert not TrainingProgram.objects.filter(project=school).exists()
    assert history_of(school).order_by("-pk").first().action == "remove_trainingprogram"


@pytest.mark.parametrize("name", ["pd4", "po2", "staff1", "auditor1", "jst1", "pi1", "office1", "evaluator1"])
def test_parts_when_written_by_others_then_refused(cast, twin, training, name):
    theirs = {"by": cast[name], "at": AT}
    with pytest.raises(NotAllowed):
        module(training, theirs)
    with pytest.raises(NotAllowed):
        remove_of_kind(training.project, TrainingProgram, pk=training.pk, **theirs)
    with pytest.raises(NotAllowed):
        goal(twin["sample-ql3-b1"], theirs)


def test_parts_when_the_kind_of_project_has_none_then_refused(twin, how):
    for project in (twin["sample-ql3-b1"], twin["sample-ql3-f1"]):
        with pytest.raises(NotAllowed):
            save_of_kind(project, TrainingProgram, values=NAMES, **how)
    for project in (twin["sample-ql4-h1"], twin["sample-ql3-f1"]):
        with pytest.raises(NotAllowed):
            goal(project, how)


def test_team_when_in_conflict_then_writes_nothing(cast, school, training):
    recuse(cast["pi5"].person, school, starts_on=date(2020, 4, 1), source_ref="C", by=cast["staff1"], at=AT)
    with pytest.raises(NotAllowed):
        module(training, {"by": again(cast["pi5"]), "at": AT})


def test_goals_when_entered_then_numbered_and_counted(twin, how):
    project = twin["sample-ql3-b1"]
    first, second = goal(project, how), goal(project, how, achieved_on=date(2026, 5, 1), shown_by="論文")
    assert (first.number, second.number) == (1, 2)
    figures = figures_of(project)
    assert (figures.goals, figures.achieved) == (2, 1)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"text": " "}, "text"), ({"achieved_on": date(2026, 5, 1)}, "shown_by"),
        ({"achieved_on": date(2026, 6, 5), "shown_by": "論文"}, "achieved_on"), ({"due_on": None}, "due_on"),
    ],
)  # fmt: skip
def test_goal_when_wrong_then_the_field_is_named_and_nothing_written(twin, how, more, field):
    with pytest.raises(NotReady) as refusal:
        goal(twin["sample-ql3-b1"], how, **more)
    assert [blocker.field for blocker in refusal.value.blockers] == [field]
    assert not ChallengeGoal.objects.exists()


def test_sample_when_made_twice_then_once(cast):
    assert (record_education(by=cast["pi5"], at=AT), record_goals(by=cast["pi5"], at=AT)) == (18, 3)
    assert (record_education(by=cast["pi5"], at=AT), record_goals(by=cast["pi5"], at=AT)) == (0, 0)
