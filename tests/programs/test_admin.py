"""Programs in the admin: terms take two people and never overlap, look-ups belong to a program, conflicts hide."""

from datetime import date

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Organization
from common.admin import site
from common.audit import record
from common.models import JournalEntry
from evaluations.actions.conflicts import confirm_conflict, declare_conflict
from programs.models import AreaDirector, Headquarters, Program, ProgramStaff, Project, ProjectMember, StageGate
from tests.cast import again
from tests.factories.rows import fill_tables

pytestmark = pytest.mark.django_db

TERM = "/admin/programs/areadirector/"
DAY = "2026-04-01"


def errors(page):
    assert page.status_code == 200
    return dict(page.context_data["adminform"].form.errors)


def seen(client, path):
    return {"seen": client.get(path).context_data["adminform"].form.initial["seen"]}


@pytest.fixture
def area(twin):
    return twin["sample-ql1-f1"].area


def add_term(client, area, person, **dates):
    return client.post(f"{TERM}add/", {"person": person.pk, "area": area.pk, **dates})


# Terms ----------------------------------------------------------------------------------------------------------------


def test_term_when_entered_and_approved_by_another_then_counts(client, cast, area):
    AreaDirector.objects.filter(area=area).update(ends_on=date(2026, 3, 31))
    client.force_login(cast["staff1"])
    assert add_term(client, area, cast["pd2"].person, starts_on="令和８年４月１日", reason="新任").status_code == 302
    term = AreaDirector.objects.get(area=area, person=cast["pd2"].person)
    assert (term.starts_on, term.granted_by, term.approved_by) == (date(2026, 4, 1), cast["staff1"], None)
    page = client.get(f"{TERM}{term.pk}/change/").content.decode()
    assert "役割の付与には二人目の承認が必要です" in page
    assert "承認する</button>" not in page
    client.post(f"{TERM}{term.pk}/approve/")
    assert AreaDirector.objects.get(pk=term.pk).approved_by is None
    client.force_login(cast["staff2"])
    assert "承認する</button>" in client.get(f"{TERM}{term.pk}/change/").content.decode()
    client.post(f"{TERM}{term.pk}/approve/")
    assert AreaDirector.objects.get(pk=term.pk).approved_by == cast["staff2"]
    told = JournalEntry.objects.filter(subject_type="programs.areadirector", subject_id=term.pk).order_by("id")
    assert [(entry.action, entry.actor_id, entry.after["person"]) for entry in told] == [
        ("propose_role", str(cast["staff1"].pk), term.person.ref),
        ("approve_role", str(cast["staff2"].pk), term.person.ref),
    ]


def test_term_when_approved_by_address_without_a_form_or_by_an_auditor_then_refused(client, cast, area):
    term = AreaDirector.objects.get(area=area)
    AreaDirector.objects.filter(pk=term.pk).update(approved_by=None)
    client.force_login(cast["staff2"])
    assert client.get(f"{TERM}{term.pk}/approve/").status_code == 403
    client.force_login(cast["auditor1"])
    assert client.post(f"{TERM}{term.pk}/approve/").status_code == 403
    assert AreaDirector.objects.get(pk=term.pk).approved_by is None


def test_terms_when_approved_from_the_list_then_only_those_of_others(client, cast, area, twin_program):
    kept = {"program": twin_program, "role": "program_officer", "starts_on": DAY}
    mine = ProgramStaff.objects.create(person=cast["pd1"].person, granted_by=cast["staff2"], **kept)
    theirs = ProgramStaff.objects.create(person=cast["pd2"].person, granted_by=cast["staff1"], **kept)
    client.force_login(cast["staff2"])
    path = "/admin/programs/programstaff/"
    assert "approval=waiting" in client.get(path).content.decode()
    listed = client.get(f"{path}?approval=waiting").context_data["cl"].result_list
    assert {row.pk for row in listed} == {mine.pk, theirs.pk}
    client.post(path, {"action": "approve", "_selected_action": [mine.pk, theirs.pk]})
    approved = ProgramStaff.objects.filter(pk__in=[mine.pk, theirs.pk], approved_by__isnull=False)
    assert list(approved) == [theirs]


@pytest.mark.parametrize(
    ("dates", "field", "says"),
    [
        ({"starts_on": DAY}, "starts_on", "この期間にはすでに就任している人がいます。先にその任期を終えてください。"),
        ({"starts_on": DAY, "ends_on": "2026-01-01"}, "ends_on", "終了日を開始日より前にすることはできません。"),
        ({"starts_on": "2026-02-30"}, "starts_on", "日付"),
        ({"starts_on": ""}, "starts_on", "この項目は必須です。"),
    ],
)
def test_term_when_it_cannot_be_then_the_field_says_why(client, cast, area, dates, field, says):
    client.force_login(cast["staff1"])
    found = errors(add_term(client, area, cast["pd2"].person, **dates))
    assert list(found) == [field]
    assert says in found[field][0]
    assert AreaDirector.objects.filter(area=area).count() == 1


def test_term_when_another_area_has_a_director_then_does_not_stand_in_the_way(client, cast, twin, area):
    AreaDirector.objects.filter(area=area).update(ends_on=date(2026, 3, 31))
    assert AreaDirector.objects.filter(ends_on=None).exclude(area=area).count() == 3
    client.force_login(cast["staff1"])
    assert add_term(client, area, cast["pd2"].person, starts_on=DAY).status_code == 302


def test_term_when_ended_then_with_a_reason_and_never_longer(client, cast, area):
    term = AreaDirector.objects.get(area=area)
    path = f"{TERM}{term.pk}/change/"
    client.force_login(cast["staff1"])
    form = seen(client, path)
    assert list(errors(client.post(path, {**form, "ends_on": "2026-12-31"}))) == ["reason"]
    assert list(errors(client.post(path, {**form, "ends_on": "2000-01-01", "reason": "交代"}))) == ["ends_on"]
    assert client.post(path, {**form, "ends_on": "2026-12-31", "reason": "交代"}).status_code == 302
    again = seen(client, path)
    assert list(errors(client.post(path, {**again, "ends_on": "2027-12-31", "reason": "延長"}))) == ["ends_on"]
    assert list(errors(client.post(path, {**again, "ends_on": "", "reason": "延長"}))) == ["ends_on"]
    assert AreaDirector.objects.get(pk=term.pk).ends_on == date(2026, 12, 31)
    last = JournalEntry.objects.filter(subject_type="programs.areadirector", subject_id=term.pk).latest("id")
    assert (last.action, last.after, last.reason) == ("end_role", {"ends_on": "2026-12-31"}, "交代")


def test_deputy_when_without_end_or_of_nobody_then_the_fields_say_so(client, cast):
    client.force_login(cast["staff1"])
    found = errors(client.post("/admin/programs/deputy/add/", {"person": cast["pd2"].person.pk, "starts_on": DAY}))
    assert found == {
        "director": ["PDとPOのどちらか一方を選んでください。"],
        "ends_on": ["終了日を入力してください。代理には期限があります。"],
    }


def test_member_when_the_project_has_a_principal_investigator_then_the_field_says_so(client, cast, twin):
    organization = Organization.objects.filter(is_sample=True).first()
    typed = {"person": cast["pd2"].person.pk, "project": twin["sample-ql1-f1"].pk, "role": "principal_investigator",
             "organization": organization.pk, "starts_on": DAY, "effort_percent": "120"}  # fmt: skip
    client.force_login(cast["staff1"])
    assert list(errors(client.post("/admin/programs/projectmember/add/", typed))) == ["effort_percent", "role"]


# Look-ups of a program ------------------------------------------------------------------------------------------------


def test_lookup_when_the_program_is_not_staffed_by_the_reader_then_neither_offered_nor_taken(
    client, cast, twin_program
):
    ProgramStaff.objects.filter(person=cast["staff1"].person).exclude(program=twin_program).update(ends_on="2020-01-01")
    gate = StageGate.objects.create(ref="gate-x", program=twin_program, name_ja="中間", held_on=DAY)
    other = Program.objects.get(ref="k-program")
    client.force_login(cast["staff1"])
    page = client.get("/admin/programs/stagegate/add/")
    assert list(page.context_data["adminform"].form.fields["program"].queryset) == [twin_program]
    typed = {"ref": "gate-y", "program": other.pk, "name_ja": "中間", "held_on": DAY}
    assert list(errors(client.post("/admin/programs/stagegate/add/", typed))) == ["program"]
    ProgramStaff.objects.filter(person=cast["staff1"].person).update(ends_on="2020-01-01")
    assert client.get(f"/admin/programs/stagegate/{gate.pk}/change/").status_code == 404
    assert client.post(f"/admin/programs/stagegate/{gate.pk}/change/", {"name_ja": "x"}).status_code in (403, 404)
    assert StageGate.objects.get(pk=gate.pk).name_ja == "中間"


def test_lookup_when_a_sample_would_hang_on_a_real_program_then_refused_in_words(client, cast):
    client.force_login(cast["staff1"])
    typed = {
        "program": Program.objects.get(ref="k-program").pk,
        "organization": Organization.objects.get(ref="sample-jst").pk,
    }
    found = errors(client.post("/admin/programs/programagency/add/", typed))
    assert list(found) == ["__all__"]
    assert "見本と実際の記録は結び付けられません" in found["__all__"][0]


def test_scale_when_a_second_one_would_be_the_default_then_the_field_says_so(client, cast):
    client.force_login(cast["staff1"])
    found = errors(client.post("/admin/programs/trlscale/add/", {"ref": "x", "name_ja": "x", "is_default": "on"}))
    assert list(found) == ["is_default"]


# Conflicts ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def conflicted(cast, twin):
    """staff1 has a confirmed conflict with sample-ql1-f1, staff2 has none; three rows in every table."""
    fill_tables(cast, twin)
    project = twin["sample-ql1-f1"]
    for subject in (project, project.reports.get(), project.members.first(), project.milestones.first()):
        record("test", subject, by=cast["staff2"], at=timezone.now())
    conflict = declare_conflict(
        cast["staff1"].person, project, kind="mentor", evidence="指導関係(見本)", starts_on=date(2026, 4, 1),
        by=cast["staff1"], at=timezone.now(),
    )  # fmt: skip
    confirm_conflict(conflict, reason="確認(見本)", by=cast["staff2"], at=timezone.now())
    return cast


#: What hangs on a project and is hidden with it.
HIDDEN = {
    "Project", "Milestone", "TrlAssessment", "Deliverable", "AwardNumber", "Headquarters", "HQMember", "ProjectMember",
    "ConflictOfInterest", "ProgressReport", "ReportVersion", "OutgoingMail", "StoredFile", "JournalEntry",
}  # fmt: skip


def keys(model, user):
    return set(site.visible(model, user).values_list("pk", flat=True))


def test_rows_when_the_reader_is_in_conflict_then_hidden_in_every_table(client, conflicted):
    client.force_login(conflicted["staff1"])
    hidden = {m: keys(m, again(conflicted["staff2"])) - keys(m, again(conflicted["staff1"])) for m in site._registry}
    assert {model.__name__ for model, rows in hidden.items() if rows} == HIDDEN
    for model, rows in hidden.items():
        for row in sorted(rows)[:2]:
            for page in ("change", "history"):
                path = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=[row])
                assert (path, client.get(path).status_code) == (path, 404)


def test_list_when_the_reader_is_in_conflict_then_neither_shown_nor_counted_nor_found(client, conflicted):
    for name, found in (("staff2", 1), ("staff1", 0)):
        client.force_login(conflicted[name])
        for path in (
            "programs/project", "programs/milestone", "programs/projectmember", "reporting/progressreport",
            "evaluations/conflictofinterest", "common/journalentry",
        ):  # fmt: skip
            listed = client.get(f"/admin/{path}/?q=sample-ql1-f1").context_data["cl"]
            assert (path, bool(listed.result_count)) == (path, bool(found))


def test_autocomplete_when_the_reader_is_in_conflict_then_does_not_offer(client, conflicted, twin):
    query = {"app_label": "programs", "model_name": "projectmember", "field_name": "project", "term": "sample-ql1-f"}
    offered = {}
    for name in ("staff1", "staff2"):
        client.force_login(conflicted[name])
        offered[name] = {row["id"] for row in client.get("/admin/autocomplete/", query).json()["results"]}
    assert offered["staff2"] - offered["staff1"] == {str(twin["sample-ql1-f1"].pk)}


def test_form_when_the_reader_is_in_conflict_then_takes_no_row_of_the_project(client, conflicted, twin):
    project = twin["sample-ql1-f1"]
    client.force_login(conflicted["staff1"])
    typed = {"person": conflicted["pd2"].person.pk, "project": project.pk, "role": "co_investigator",
             "organization": Organization.objects.filter(is_sample=True).first().pk, "starts_on": DAY}  # fmt: skip
    assert list(errors(client.post("/admin/programs/projectmember/add/", typed))) == ["project"]
    typed = {"person": conflicted["pd2"].person.pk, "starts_on": DAY,
             "headquarters": Headquarters.objects.get(project=project).pk}  # fmt: skip
    assert list(errors(client.post("/admin/programs/hqmember/add/", typed))) == ["headquarters"]
    member = ProjectMember.objects.filter(project=project).first()
    path = f"/admin/programs/projectmember/{member.pk}/"
    assert client.post(f"{path}change/", {"ends_on": DAY, "reason": "x"}).status_code == 404
    assert client.post(f"{path}approve/").status_code == 404


def test_journal_when_the_reader_is_in_conflict_then_tells_nothing_of_the_project(conflicted, twin):
    project = twin["sample-ql1-f1"]

    def about(user):
        entries = site.visible(JournalEntry, user).filter(action="test")
        return sorted(entry.subject_type for entry in entries)

    assert about(conflicted["staff2"]) == [
        "programs.milestone", "programs.project", "programs.projectmember", "reporting.progressreport",
    ]  # fmt: skip
    assert about(again(conflicted["staff1"])) == []
    assert Project.objects.filter(pk=project.pk).exists()


@pytest.mark.parametrize(("name", "told"), [("staff2", False), ("auditor1", True)])
def test_journal_of_conflicts_when_read_then_by_auditors_only(conflicted, name, told):
    types = {"evaluations.conflictofinterest", "programs.projectrecusal"}
    found = set(site.visible(JournalEntry, conflicted[name]).values_list("subject_type", flat=True))
    assert found & types == (types if told else set())


def test_conflict_when_shown_then_nobody_is_named_and_no_evidence(client, conflicted):
    client.force_login(conflicted["staff2"])
    path = "/admin/evaluations/conflictofinterest/"
    listed = client.get(path)
    rows = list(listed.context_data["cl"].result_list)
    assert rows
    names = {row.person.name for row in rows} | {row.evidence for row in rows}
    for page in (listed, *(client.get(f"{path}{row.pk}/change/") for row in rows)):
        text = page.content.decode()
        assert [name for name in names if name in text] == []
