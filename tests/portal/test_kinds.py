"""Pages of one kind of project: education programs, challenge goals; the team writes, others read."""

import re

import pytest
from django.utils import timezone

from programs.actions.recusals import recuse
from programs.models import AdoptingInstitution, ChallengeGoal, LearnerCount, TrainingModule, TrainingProgram
from reporting.sample_kinds import record_education, record_goals

pytestmark = pytest.mark.django_db
SCHOOL, GOALS = "/projects/sample-ql4-h1/education/", "/projects/sample-ql3-b1/goals/"


def text_of(client, path):
    response = client.get(path)
    assert response.status_code == 200
    return " ".join(re.sub(r"<[^>]*>", " ", response.content.decode()).split())


def typed(on, **fields):
    part = on.partition("-")[0]
    return {"on": on, **{f"{part}-{name}": value for name, value in fields.items()}}


@pytest.fixture
def kept(cast):
    record_education(by=cast["pi5"], at=timezone.now())
    record_goals(by=cast["pi5"], at=timezone.now())


def test_team_when_it_writes_every_part_then_all_stands_on_the_page(client, cast):
    client.force_login(cast["pi5"])
    assert [one["part"] for one in client.get(SCHOOL).context["desk"]] == ["training"]
    assert client.post(SCHOOL, typed("training", name_ja="共通教育", name_en="", aim="広く")).status_code == 302
    training = TrainingProgram.objects.get(project__ref="sample-ql4-h1")
    row = {"training": training.pk, "name_ja": "演習", "kind": "exercise", "level": "advanced", "hours": "７．５"}
    assert client.post(SCHOOL, typed("module", **row)).status_code == 302
    row = {"training": training.pk, "fiscal_year": "２０２５年度", "kind": "working", "number": "1,200人"}
    assert client.post(SCHOOL, typed("learners", **row)).status_code == 302
    module = TrainingModule.objects.get(training=training)
    row = {"training": training.pk, "name": "見本校", "modules": [module.pk], "since_fiscal_year": "2025"}
    assert client.post(SCHOOL, typed("adopter", **row)).status_code == 302
    text = text_of(client, SCHOOL)
    for part in ("共通教育", "広く", "演習", "7.5", "1,200", "見本校"):
        assert part in text, part
    overview = text_of(client, "/projects/sample-ql4-h1/")
    assert "1,200" in overview
    assert "1,200" in text_of(client, "/areas/sample-ql4/")


def test_form_when_wrong_then_said_beside_the_field_and_nothing_written(client, cast, kept):
    client.force_login(cast["pi5"])
    training = TrainingProgram.objects.get(project__ref="sample-ql4-h1")
    before = LearnerCount.objects.count()
    for field, value in (
        ("fiscal_year", "2999"),
        ("number", "たくさん"),
        ("number", "-3"),
        ("number", ""),
        ("kind", "x"),
    ):
        row = {"training": training.pk, "fiscal_year": "2025", "kind": "others", "number": "3"} | {field: value}
        answer = client.post(SCHOOL, typed("learners", **row))
        assert answer.status_code == 422
        assert f'id="id_learners-{field}_error"' in answer.content.decode(), field
    assert LearnerCount.objects.count() == before
    both = {"training": training.pk, "name": "", "organization": "", "since_fiscal_year": "2025"}
    assert 'id="id_adopter-organization_error"' in client.post(SCHOOL, typed("adopter", **both)).content.decode()
    for wrong in ("edit=nothing", "edit=module-x", "x=1", "format=pdf"):
        assert client.get(f"{SCHOOL}?{wrong}").status_code == 400


def test_record_when_changed_and_taken_out_then_so_on_the_page(client, cast, kept):
    client.force_login(cast["pi5"])
    count = LearnerCount.objects.get(fiscal_year=2024, kind="working")
    page = client.get(f"{SCHOOL}?edit=learners-{count.pk}")
    assert 'value="112"' in page.content.decode()
    row = {"training": count.training_id, "fiscal_year": "令和６年度", "kind": "working", "number": "１１３"}
    assert client.post(SCHOOL, typed(f"learners-{count.pk}", **row)).status_code == 302
    count.refresh_from_db()
    assert (count.fiscal_year, count.number) == (2024, 113)
    assert "113" in text_of(client, SCHOOL)
    adopter = AdoptingInstitution.objects.get(name__startswith="見本大学院")
    assert client.post(SCHOOL, {"on": f"adopter-{adopter.pk}", "act": "remove"}).status_code == 302
    assert "見本大学院" not in text_of(client, SCHOOL)
    module = TrainingModule.objects.filter(training=count.training).first()
    assert client.post(SCHOOL, {"on": f"module-{module.pk}", "act": "remove"}).status_code == 302
    assert TrainingModule.objects.filter(pk=module.pk).exists()
    assert client.get(f"{SCHOOL}?edit=module-999999").status_code == 302


def test_goal_when_written_then_on_its_page_and_the_overview(client, cast):
    client.force_login(cast["pi5"])
    row = {"text": "連続動作を示す", "due_on": "令和9年3月31日", "achieved_on": "", "shown_by": ""}
    assert client.post(GOALS, typed("goal", **row)).status_code == 302
    made = ChallengeGoal.objects.get(project__ref="sample-ql3-b1")
    bad = client.post(GOALS, typed(f"goal-{made.pk}", **row | {"achieved_on": "2026-05-01"}))
    assert bad.status_code == 422
    assert 'id="id_goal-shown_by_error"' in bad.content.decode()
    late = row | {"due_on": "2020-03-31"}
    assert client.post(GOALS, typed(f"goal-{made.pk}", **late)).status_code == 302
    gaps = client.get("/projects/sample-ql3-b1/").context["gaps"]
    assert [(gap.url, gap.due_on.year) for gap in gaps if gap.url == GOALS] == [(GOALS, 2020)]
    done = row | {"achieved_on": "2026-05-01", "shown_by": "測定記録"}
    assert client.post(GOALS, typed(f"goal-{made.pk}", **done)).status_code == 302
    for path in (GOALS, "/projects/sample-ql3-b1/"):
        assert "連続動作を示す" in text_of(client, path)
        assert "測定記録" in text_of(client, path)


@pytest.mark.parametrize(
    ("path", "count"), [(f"{SCHOOL}?format=modules", 4), (f"{SCHOOL}?format=learners", 12), (f"{SCHOOL}?format=adopters", 4),
                        (f"{GOALS}?format=csv", 4)],
)  # fmt: skip
def test_csv_when_saved_then_begins_with_a_mark_and_has_a_line_each(client, cast, kept, path, count):
    client.force_login(cast["staff1"])
    content = b"".join(client.get(path).streaming_content)
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.count(b"\r\n") == count


@pytest.mark.parametrize("name", ["pd4", "po2", "staff1", "auditor1", "jst1"])
def test_reader_when_posting_then_403_and_nothing_written(client, cast, kept, name):
    client.force_login(cast[name])
    if name != "pd4":
        assert client.get(GOALS).context["desk"] == []
        assert client.post(GOALS, typed("goal", text="x", due_on="2027-03-31")).status_code == 403
    assert client.get(SCHOOL).context["desk"] == []
    assert client.post(SCHOOL, typed("training", name_ja="別")).status_code == 403
    assert TrainingProgram.objects.filter(project__ref="sample-ql4-h1").count() == 1
    assert ChallengeGoal.objects.count() == 3


def test_page_when_the_kind_has_none_or_a_conflict_hides_it_then_404(client, cast, twin, kept):
    client.force_login(cast["pi5"])
    assert client.get("/projects/sample-ql3-f1/goals/").status_code == 404
    assert client.get("/projects/sample-ql3-b1/education/").status_code == 404
    recuse(
        cast["pi5"].person, twin["sample-ql4-h1"], starts_on=timezone.localdate(), source_ref="C", by=cast["staff1"],
        at=timezone.now(),
    )  # fmt: skip
    assert client.get(SCHOOL).status_code == 404


@pytest.mark.parametrize("count", [1, 3])
def test_pages_when_there_are_more_then_the_queries_are_the_same(
    client, cast, twin, kept, count, django_assert_num_queries
):
    training = TrainingProgram.objects.get(project__ref="sample-ql4-h1")
    for number in range(count):
        TrainingModule.objects.create(
            training=training, name_ja=f"追加{number}", kind="lecture", level="advanced", hours=1
        )
        ChallengeGoal.objects.create(
            project=twin["sample-ql3-b1"], number=90 + number, text="追加", due_on=timezone.localdate()
        )
    client.force_login(cast["pi5"])
    for path, queries in (
        (SCHOOL, 14),
        (GOALS, 11),
        ("/projects/sample-ql4-h1/", 13),
        ("/projects/sample-ql3-b1/", 14),
    ):
        client.get(path)
        with django_assert_num_queries(queries):
            client.get(path)
