"""Budget and milestones of a plan as a workbook: out, in, and every bad cell by its name."""

import io
from datetime import date, datetime
from decimal import Decimal

import pytest
from django.utils import translation
from openpyxl import load_workbook

from common.audit import history_of
from common.errors import NotAllowed, Refused, StaleEdit
from programs.actions import plans
from programs.actions.plan_imports import import_plan, preview_plan_import
from programs.exports import plan_workbook
from programs.models import CostCategory, PlanBudget, PlanMilestone, plan_of
from programs.queries.plans import participants
from tests.programs.test_plans import AT, again_version, handed_on, written

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(twin):
    return twin["sample-ql1-f1"]


@pytest.fixture
def version(cast, project):
    return written(project, cast)


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def book_of(version):
    """The workbook as it is handed out: budget, milestones."""
    book = load_workbook(plan_workbook(version))
    return book, *book.worksheets[:2]


def preview(version, book, by):
    file = io.BytesIO()
    book.save(file)
    return preview_plan_import(version, file, "plan.xlsx", by=by)


def cell_of(sheet, organization, category, year):
    """The cell of an amount."""
    column = next(cell.column for cell in sheet[1] if str(cell.value).startswith(f"FY{year}"))
    row = next(r for r in sheet.iter_rows(min_row=2) if (r[0].value, r[1].value) == (organization.name, category.name))
    return row[column - 1]


def test_workbook_when_read_back_unchanged_then_nothing_differs_in_either_language(cast, version):
    for language in ("en", "ja"):
        with translation.override(language):
            book, *_sheets = book_of(version)
        found = preview(version, book, cast["pi1"])
        assert (found.rows, found.errors) == ([], [])


def test_workbook_when_handed_out_then_has_every_institution_the_lists_and_the_checks(version, project):
    book, budget, milestones = book_of(version)
    assert book.worksheets[2].sheet_state == "hidden"
    names = {row[0].value for row in budget.iter_rows(min_row=2)}
    assert names == {one.name for one in participants(project)} | {"Total of the year as stated"}
    assert {v.type for v in budget.data_validations.dataValidation} == {"whole"}
    assert {v.type for v in milestones.data_validations.dataValidation} == {"list"}
    assert [cell.value for cell in milestones[2]][:4] == ["M6", "忠実度の達成", "the whole team", datetime(2027, 9, 30)]


def test_import_when_typed_as_people_type_then_shown_first_and_then_written(cast, version, project):
    lead, goods = participants(project)[0], CostCategory.objects.get(ref="goods")
    book, budget, milestones = book_of(version)
    cell_of(budget, lead, goods, 2026).value = "６，０００万円"
    cell_of(budget, lead, goods, 2027).value = 1234567
    milestones["D2"].value = "令和９年１０月１日"
    milestones["F2"].value = "９９．５"
    milestones["J2"].value = "ＴＲＬ４"
    milestones.append(["", "公開", lead.name, "2027/12/1", "登録100件", "△５．５", "dB", "at least", "記録"])
    before = plan_of(version)
    found = preview(version, book, cast["pi1"])
    assert found.errors == []
    assert plan_of(version) == before
    told = {row.about: (row.before, row.after) for row in found.rows}
    assert told[f"FY2026 (Reiwa 8) {lead.name} {goods.name}"] == ("60,000,001 yen", "60,000,000 yen")
    assert told["M6 忠実度の達成"] == (
        "Planned for: 2027-09-30 (Thu)、Threshold: 99.9、TRL planned: -",
        "Planned for: 2027-10-01 (Fri)、Threshold: 99.5、TRL planned: 4",
    )
    assert "公開" in told
    assert import_plan(version, found.steps, by=cast["pi1"], at=AT) == 4
    amounts = {c.fiscal_year: c.amount_yen for c in PlanBudget.objects.filter(version=version, category=goods)}
    assert amounts == {2026: 60_000_000, 2027: 1_234_567}
    moved = PlanMilestone.objects.get(version=version, key="M6")
    assert (moved.planned_on, moved.threshold, moved.direction) == (date(2027, 10, 1), Decimal("99.5"), "at_least")
    assert moved.trl_level == 4
    new = PlanMilestone.objects.get(version=version, key="M7")
    assert (new.title, new.organization, new.threshold) == ("公開", lead, Decimal("-5.5"))
    assert history_of(project)[0].action == "import_plan"
    assert preview(again_version(version), book_of(version)[0], cast["pi1"]).rows == []


BAD = [
    ("C2", "=1+1", "There is a formula here"),
    ("C2", "△ 5", "Enter 0 or more."),
    ("C2", "（5）", "without brackets"),
    ("C2", 1.5, "whole yen"),
    ("C2", 10**16, "Check the unit"),
    ("C2", "未定", "Enter an amount in yen"),
    ("C2", datetime(2026, 4, 1), "Enter an amount in yen"),
    ("A2", "見本機関ZZ", "is no institution of the project"),
    ("A2", None, "Fill this in"),
    ("C1", "備考", "is no column of this sheet"),
    ("D1", "令和8年度", "This column is there twice"),
]


@pytest.mark.parametrize(("place", "value", "words"), BAD)
def test_budget_when_a_cell_is_bad_then_it_is_named_and_nothing_can_be_written(cast, version, place, value, words):
    book, budget, _milestones = book_of(version)
    budget["C2"].value = 7
    budget[place].value = value
    found = preview(version, book, cast["pi1"])
    assert any(error.place.startswith("Budget sheet!") and words in error.message for error in found.errors), (
        found.errors
    )
    if not place.endswith("1"):
        row = place[1:]
        assert any(error.place.endswith(row) for error in found.errors)


BAD_MILESTONES = [
    ("D2", "2027-13-01", "Enter a date such as"),
    ("D2", None, "Enter a date such as"),
    ("F2", "約99", "Enter a number such as"),
    ("F2", 10**15, "at most 14 digits"),
    ("H2", "だいたい", "Choose one of the list"),
    ("H2", None, "the least or the most"),
    ("J2", 10, "Enter a TRL from 1 to 9"),
    ("C2", "見本機関ZZ", "is no institution of the project"),
    ("A2", "M99", "There is no milestone M99"),
    ("B2", "", "cannot be blank"),
    ("B2", "長" * 201, "at most 200 characters"),
    ("E2", "=A1", "There is a formula here"),
]


@pytest.mark.parametrize(("place", "value", "words"), BAD_MILESTONES)
def test_milestones_when_a_cell_is_bad_then_it_is_named(cast, version, place, value, words):
    book, _budget, milestones = book_of(version)
    milestones[place].value = value
    found = preview(version, book, cast["pi1"])
    assert [words in error.message for error in found.errors] == [True], found.errors
    assert found.errors[0].place.startswith("Milestone sheet!")
    if place not in ("C2", "A2"):
        assert found.errors[0].place == f"Milestone sheet!{place}"


def test_workbook_when_cells_are_merged_a_sheet_renamed_or_a_column_gone_then_named(cast, version):
    book, budget, milestones = book_of(version)
    budget.merge_cells("A2:A3")
    milestones.delete_cols(4)
    found = preview(version, book, cast["pi1"])
    assert [error.place for error in found.errors] == ["Budget sheet!A2:A3", "Milestone sheet!J1"]
    assert "“Planned for” is missing" in found.errors[1].message
    book, budget, _milestones = book_of(version)
    budget.title = "予算表"
    found = preview(version, book, cast["pi1"])
    assert [error.place for error in found.errors] == ["Budget sheet"]
    assert "予算表" in found.errors[0].message
    book, budget, _milestones = book_of(version)
    budget.delete_cols(3)
    found = preview(version, book, cast["pi1"])
    assert ["“FY2026 (Reiwa 8)” is missing" in error.message for error in found.errors] == [True]


def test_row_when_it_is_there_twice_then_the_second_is_named(cast, version, project):
    book, budget, _milestones = book_of(version)
    lead, goods = participants(project)[0], CostCategory.objects.get(ref="goods")
    budget.append([lead.ref, goods.ref, 5, None])
    found = preview(version, book, cast["pi1"])
    assert {error.place for error in found.errors} == {f"Budget sheet!{c}{budget.max_row}" for c in "CD"}


def test_import_when_by_a_partner_then_only_the_own_part_is_taken(cast, version, project):
    lead, partner = participants(project)[:2]
    goods = CostCategory.objects.get(ref="goods")
    book, budget, milestones = book_of(version)
    cell_of(budget, partner, goods, 2026).value = 9
    found = preview(version, book, cast["office2"])
    assert (len(found.rows), found.errors) == (1, [])
    cell = cell_of(budget, lead, goods, 2026)
    cell.value = 9
    milestones["B2"].value = "別の題"
    found = preview(version, book, cast["office2"])
    assert [error.place for error in found.errors] == [f"Budget sheet!{cell.coordinate}", "Milestone sheet!B2"]
    with pytest.raises(NotAllowed):
        import_plan(
            version,
            {"cells": [[2026, lead.pk, goods.pk, 9, 1]], "totals": [], "milestones": []},
            by=cast["office2"],
            at=AT,
        )
    with pytest.raises(NotAllowed):
        preview(version, book, cast["auditor1"])


def test_import_when_somebody_saved_since_the_dry_run_then_nothing_is_written(cast, version, project):
    lead, goods = participants(project)[0], CostCategory.objects.get(ref="goods")
    book, budget, milestones = book_of(version)
    cell_of(budget, lead, goods, 2027).value = 5
    milestones["B2"].value = "取込みの題"
    found = preview(version, book, cast["pi1"])
    values = {"title": "先の題", "planned_on": date(2027, 9, 30)}
    plans.save_item(version, PlanMilestone, values=values, key="M6", revision=0, by=cast["hq1"], at=AT)
    with pytest.raises(StaleEdit):
        import_plan(version, found.steps, by=cast["pi1"], at=AT)
    assert not PlanBudget.objects.filter(version=version, fiscal_year=2027).exists()


def test_import_when_the_plan_was_handed_in_or_the_file_is_no_workbook_then_refused(cast, version):
    with pytest.raises(Refused):
        preview_plan_import(version, io.BytesIO("文章です。".encode()), "plan.txt", by=cast["pi1"])
    book, budget, _milestones = book_of(version)
    budget["C2"].value = 1
    found = preview(version, book, cast["pi1"])
    handed_on(version, cast, to="submitted")
    with pytest.raises(NotAllowed):
        import_plan(version, found.steps, by=cast["pi1"], at=AT)
    with pytest.raises(NotAllowed):
        preview(again_version(version), book, cast["pi1"])
