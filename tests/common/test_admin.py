"""The admin as a whole: who gets in, what its lists take, what no form may change; over every registered table."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, get_resolver, reverse
from django.utils import timezone

from accounts.models import Organization, RoleGrant
from common.admin import ActionAdmin, site
from common.admin import lists as admin_lists
from common.audit import record
from common.models import JournalEntry
from tests.factories.rows import fill_tables

pytestmark = pytest.mark.django_db

MODELS = sorted(site._registry, key=lambda model: model._meta.label)
CHANGED = [model for model in MODELS if isinstance(site._registry[model], ActionAdmin)]
INSIDE = {"staff1", "staff2", "auditor1"}
OTHERS = [
    "secretariat1", "pd1", "deputy1", "po1", "hq1", "pi1", "coinvestigator1", "office1", "accountant1", "evaluator1",
    "chair1", "jst1", "security1", "cabinet1", "user_ministry1", "applicant1",
]  # fmt: skip


def address(model: Any, page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


@pytest.fixture
def full(cast, twin):
    """The cast, with three rows in every table."""
    fill_tables(cast, twin)
    return cast


# Who gets in ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(INSIDE))
def test_admin_when_ministry_staff_or_auditor_then_opens(client, cast, name):
    client.force_login(cast[name])
    page = client.get("/admin/")
    assert page.status_code == 200
    assert ('class="addlink"' in page.content.decode()) == (name != "auditor1")


@pytest.mark.parametrize("name", OTHERS)
def test_admin_when_anybody_else_then_says_why_not(client, cast, name):
    client.force_login(cast[name])
    for path in (
        "/admin/",
        address(JournalEntry, "changelist"),
        "/admin/autocomplete/",
        "/admin/accounts/person/1/change/",
    ):
        page = client.get(path)
        assert (path, page.status_code) == (path, 403)
        assert "管理画面は文部科学省の担当官と監査のためのものです" in page.content.decode()


@pytest.mark.parametrize("path", ["/admin/", "/admin/accounts/user/", "/admin/autocomplete/", "/admin/jsi18n/"])
def test_admin_when_nobody_signed_in_then_asks_at_the_portals_door(client, cast, path):
    page = client.get(path)
    assert (page.status_code, page["Location"]) == (302, f"/accounts/login/?next={path}")


def test_admin_when_the_role_ends_then_closes_at_once(client, cast):
    client.force_login(cast["staff1"])
    assert client.get("/admin/").status_code == 200
    RoleGrant.objects.filter(person=cast["staff1"].person).update(ends_on="2020-03-31")
    assert client.get("/admin/").status_code == 403


def test_forms_when_sent_by_an_auditor_then_change_nothing(client, full):
    client.force_login(full["auditor1"])
    for model in CHANGED:
        row = site.visible(model, full["auditor1"]).first()
        before = model._default_manager.count(), JournalEntry.objects.count()
        add, change = address(model, "add"), address(model, "change", row.pk)
        answers = [client.get(add), client.post(add, {}), client.post(change, {"reason": "x"})]
        assert (model, [answer.status_code for answer in answers]) == (model, [403, 403, 403])
        assert (model._default_manager.count(), JournalEntry.objects.count()) == before


# Every page -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["staff1", "auditor1"])
def test_pages_of_every_table_when_opened_then_answer(client, full, name):
    client.force_login(full[name])
    for model in MODELS:
        row = site.visible(model, full[name]).first()
        assert row is not None, model
        may_add = name == "staff1" and model in CHANGED
        told = site._registry[model].journaled(full[name]).filter(pk=row.pk).exists()
        expected = {"changelist": 200, "change": 200, "add": 200 if may_add else 403, "history": 200 if told else 404}
        pages = {page: [] if page in ("changelist", "add") else [row.pk] for page in expected}
        answers = {page: client.get(address(model, page, *args)) for page, args in pages.items()}
        assert (model, {page: answer.status_code for page, answer in answers.items()}) == (model, expected)
        assert ("historylink" in answers["change"].content.decode()) == told


def test_lists_when_one_row_or_three_then_take_the_same_queries(client, full, monkeypatch):
    client.force_login(full["staff1"])
    counted: dict[Any, list[int]] = {model: [] for model in MODELS}
    for rows in (1, 3):
        for model in MODELS:
            monkeypatch.setattr(site._registry[model], "list_per_page", rows)
            with CaptureQueriesContext(connection) as queries:
                page = client.get(address(model, "changelist"))
            assert len(page.context_data["cl"].result_list) == rows, model
            counted[model].append(len(queries))
    assert {model: both for model, both in counted.items() if both[0] != both[1] or both[1] > 12} == {}


def test_change_pages_when_opened_then_take_no_more_than_the_budget(client, full):
    client.force_login(full["staff1"])
    for model in MODELS:
        row = site.visible(model, full["staff1"]).first()
        with CaptureQueriesContext(connection) as queries:
            client.get(address(model, "change", row.pk))
        assert (model, len(queries) <= 15) == (model, True), len(queries)


# Lists ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("accounts/user", "foo=1"),
        ("accounts/user", "password__startswith=a"),
        ("accounts/rolegrant", "person__user__password__startswith=a"),
        ("accounts/rolegrant", "person__user__email__startswith=a"),
        ("accounts/rolegrant", "approval=approved&granted_by__email__startswith=a"),
        ("accounts/rolegrant", "role__startswith=a"),
        ("common/journalentry", "p=4000"),
        ("programs/project", "projectrecusal__person__id__exact=1"),
        ("programs/project", "program__id__exact=abc"),
        ("programs/project", "state__in=running,planned"),
        ("programs/projectmember", "person__email=a"),
        ("evaluations/conflictofinterest", "person__id__exact=1"),
        ("evaluations/conflictofinterest", "declared_by__id__exact=1"),
        ("common/outgoingmail", "body__contains=a"),
        ("common/journalentry", "actor_label__startswith=a"),
        ("common/journalentry", "at__gte=yesterday"),
    ],
)
def test_list_when_asked_for_what_no_filter_writes_then_a_400(client, cast, path, query):
    client.force_login(cast["staff1"])
    assert client.get(f"/admin/{path}/?{query}").status_code == 400


def test_filters_and_search_of_every_list_when_used_then_answer(client, full):
    client.force_login(full["staff1"])
    for model in MODELS:
        listed = client.get(address(model, "changelist")).context_data["cl"]
        links = [list(spec.choices(listed))[-1]["query_string"] for spec in listed.filter_specs]
        searches = ["?q=量子%25_", "?q=sample-ql1-f1", "?q=" + "a" * 500, "?q=%00"] if listed.search_fields else []
        for query in [*links, *searches]:
            assert (model, query, client.get(address(model, "changelist") + query).status_code) == (model, query, 200)


def test_order_of_a_list_when_unknown_then_ignored_and_never_by_another_column(client, cast):
    client.force_login(cast["staff1"])
    plain = client.get("/admin/accounts/user/").context_data["cl"].result_list
    for order in ("99", "-99", "password", "1.99"):
        asked = client.get(f"/admin/accounts/user/?o={order}").context_data["cl"].result_list
        assert [user.pk for user in asked] == [user.pk for user in plain]


def test_count_when_above_the_limit_then_says_so_and_pages_no_further(client, cast, monkeypatch):
    monkeypatch.setattr(admin_lists, "COUNTED", 20)
    client.force_login(cast["staff1"])
    with CaptureQueriesContext(connection) as queries:
        page = client.get(address(JournalEntry, "changelist"))
    assert "20件以上あります" in page.content.decode()
    assert page.context_data["cl"].paginator.num_pages == 1
    assert [q["sql"] for q in queries if "COUNT(" in q["sql"] and "LIMIT 20" not in q["sql"]] == []


def test_list_when_a_sample_is_on_it_then_marked(client, cast):
    client.force_login(cast["staff1"])
    mark = "このページは見本データを表示しています"
    assert mark in client.get("/admin/programs/project/?is_sample__exact=1").content.decode()
    assert mark not in client.get("/admin/programs/project/?is_sample__exact=0").content.decode()


# What no form may change ----------------------------------------------------------------------------------------------


def test_fields_when_a_state_or_somebody_who_acted_then_in_no_form(rf, full):
    request = rf.get("/")
    request.user = full["staff1"]
    forbidden = {"state", "is_sample", "search_text", "search_grams", "path", "password", "is_superuser"}
    for model in CHANGED:
        row = site._registry[model].writable(full["staff1"]).first()
        assert row is not None, model
        for obj in (None, row):
            form = site._registry[model].get_form(request, obj, change=obj is not None)
            typed = {name for name in form.base_fields if name in forbidden or name.endswith(("_by", "_at"))}
            assert (model, typed) == (model, set())


def test_state_when_shown_then_never_written(rf, full):
    # Who only looks has no form; who writes has the state among what is only shown.
    request = rf.get("/")
    request.user = full["staff1"]
    with_state = {model for model in MODELS if any(field.name == "state" for field in model._meta.concrete_fields)}
    assert {model.__name__ for model in with_state} >= {"Project", "ProgressReport", "Deliverable", "OutgoingMail"}
    for model in MODELS:
        admin = site._registry[model]
        writes = admin.has_change_permission(request) or admin.has_add_permission(request)
        assert (model, writes) == (model, model in CHANGED)
        row = site.visible(model, full["staff1"]).first()
        shown = {name for name in admin.get_fields(request, row) if name == "state" or name.endswith("_by")}
        assert (model, shown - set(admin.get_readonly_fields(request, row)) if writes else set()) == (model, set())


def test_delete_when_looked_for_then_nowhere(client, full, rf):
    client.force_login(full["staff1"])
    request = rf.get("/")
    request.user = full["staff1"]
    for model, admin in site._registry.items():
        assert not admin.has_delete_permission(request)
        assert "delete_selected" not in admin.get_actions(request)
        with pytest.raises(NoReverseMatch):
            address(model, "delete", 1)
        before = model._default_manager.count()
        path = address(model, "changelist")
        row = site.visible(model, full["staff1"]).first()
        assert client.post(f"{path}{row.pk}/delete/", {"post": "yes"}).status_code in (302, 404)
        client.post(path, {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})
        assert model._default_manager.count() == before


def test_addresses_when_listed_then_none_deletes_or_signs_in_beside_the_portal():
    names = {str(name) for name in get_resolver().namespace_dict["admin"][1].reverse_dict if isinstance(name, str)}
    assert names & {"login", "logout", "password_change", "view_on_site"} == set()
    assert [name for name in names if re.search(r"delete", name)] == []


# The journal ----------------------------------------------------------------------------------------------------------


def test_record_when_added_and_changed_then_the_journal_tells_both(client, cast):
    client.force_login(cast["staff1"])
    start = JournalEntry.objects.order_by("-id").first().pk
    new = {"ref": "univ-x", "name_ja": "試験大学", "reason": "新設"}
    assert client.post("/admin/accounts/organization/add/", new).status_code == 302
    organization = _organization("univ-x")
    page = client.get(f"/admin/accounts/organization/{organization.pk}/change/")
    form = page.context_data["adminform"].form
    changed = {**form.initial, "name_ja": "試験大学2", "reason": "改称", "is_funding_agency": ""}
    assert client.post(f"/admin/accounts/organization/{organization.pk}/change/", changed).status_code == 302
    rows = JournalEntry.objects.filter(pk__gt=start).order_by("id")
    assert [(row.action, row.actor_id, row.subject_ref, row.reason) for row in rows] == [
        ("add_record", str(cast["staff1"].pk), "univ-x", "新設"),
        ("change_record", str(cast["staff1"].pk), "univ-x", "改称"),
    ]
    assert (rows[1].before, rows[1].after) == ({"name_ja": "試験大学"}, {"name_ja": "試験大学2"})
    history = client.get(f"/admin/accounts/organization/{organization.pk}/history/").content.decode()
    assert "試験大学 → 試験大学2" in history
    assert "改称" in history


def _organization(ref: str) -> Any:
    return Organization.objects.get(ref=ref)


def test_record_when_saved_without_a_change_then_no_row(client, cast):
    client.force_login(cast["staff1"])
    organization = _organization("sample-jst")
    page = client.get(f"/admin/accounts/organization/{organization.pk}/change/")
    before = JournalEntry.objects.count()
    same = {k: v for k, v in page.context_data["adminform"].form.initial.items() if v not in (None, False)}
    assert client.post(f"/admin/accounts/organization/{organization.pk}/change/", same).status_code == 302
    assert JournalEntry.objects.count() == before


def test_record_when_changed_by_somebody_else_meanwhile_then_refused(client, cast):
    client.force_login(cast["staff1"])
    organization = _organization("sample-jst")
    path = f"/admin/accounts/organization/{organization.pk}/change/"
    mine = {k: v for k, v in client.get(path).context_data["adminform"].form.initial.items() if v not in (None, False)}
    client.force_login(cast["staff2"])
    assert client.post(path, {**mine, "name_en": "Theirs"}).status_code == 302
    client.force_login(cast["staff1"])
    page = client.post(path, {**mine, "name_en": "Mine"})
    assert page.status_code == 200
    assert "ほかの人がこの記録を変更しました" in page.content.decode()
    assert _organization("sample-jst").name_en == "Theirs"


def test_record_when_there_already_then_the_field_says_so(client, cast):
    client.force_login(cast["staff1"])
    page = client.post("/admin/accounts/organization/add/", {"ref": "sample-jst", "name_ja": "二つ目"})
    assert page.status_code == 200
    assert list(page.context_data["adminform"].form.errors) == ["ref"]


def test_journal_when_searched_by_reference_then_finds_its_rows(client, cast, twin):
    record("test", twin["sample-ql1-f1"], by=cast["staff1"], at=timezone.now())
    client.force_login(cast["staff1"])
    listed = client.get("/admin/common/journalentry/?q=SAMPLE-QL1-F1").context_data["cl"].result_list
    assert {entry.subject_ref for entry in listed} == {"sample-ql1-f1"}
    assert "test" in {entry.action for entry in listed}
