"""The offline form of a score sheet: out and back without a loss, refused by its cell, merged by version."""

from __future__ import annotations

import io
from decimal import Decimal

import pytest
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from evaluations.exports import sheet_form
from evaluations.scoring import Answer, Item, Level, Rubric
from evaluations.sheet_workbook import OVERALL, SHEET, Form, merged, read_form

D = Decimal
ABCD = tuple(Level(code, D(points)) for code, points in (("a", 4), ("b", 3), ("c", 2), ("d", 1)))
NUMBERS = tuple(Level(str(points), D(points)) for points in range(6))
RUBRIC = Rubric(
    (
        Item("goal", D(50), ABCD),
        Item("plan", D(50), NUMBERS, may_be_not_applicable=False),
        Item("note", is_text_only=True),
    )
)
FORM = Form("CASE-0001", 3, "RUB-0001", RUBRIC, 200)
NAMES = {"goal": "目標の達成度", "plan": "今後の計画", "note": "特記事項"}
SAVED = {
    "goal": Answer("goal", "b", comment="根拠は資料3。"),
    "plan": Answer("plan", "0"),
    "note": Answer("note", comment="=SUM(A1) と書かれた行\n二行目"),
    OVERALL: Answer(OVERALL, comment="概ね順調。"),
}

comments = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), max_size=30)
answers = st.fixed_dictionaries(
    {
        "goal": st.builds(
            lambda mark, text: Answer("goal", "" if mark == "-" else mark, mark == "-", text),
            st.sampled_from(["", "-", *"abcd"]),
            comments,
        ),
        "plan": st.builds(lambda mark, text: Answer("plan", mark, False, text), st.sampled_from("012345"), comments),
        "note": st.builds(lambda text: Answer("note", comment=text), comments),
        OVERALL: st.builds(lambda text: Answer(OVERALL, comment=text), comments),
    }
)


def edited(change=None, saved=SAVED):
    """The form of SAVED with a change of its cells."""
    book = load_workbook(sheet_form(FORM, NAMES, saved))
    if change:
        change(book.worksheets[0])
    file = io.BytesIO()
    book.save(file)
    file.seek(0)
    return file


def typed(change=None, saved=SAVED):
    read = read_form(edited(change, saved), FORM)
    assert read.errors == []
    return {key: row.typed for key, row in read.rows.items()}


def refusals(change):
    return [(error.place.split("!")[-1], error.message) for error in read_form(edited(change), FORM).errors]


def put(**cells):
    def change(sheet):
        for place, value in cells.items():
            sheet[place] = value

    return change


@pytest.mark.parametrize("language", ["ja", "en"])
def test_form_when_read_back_unchanged_then_says_what_is_saved(language):
    with translation.override(language):
        file = edited()
    assert {key: row.typed for key, row in read_form(file, FORM).rows.items()} == SAVED
    assert merged(read_form(edited(), FORM), SAVED) == {}


@settings(max_examples=20, deadline=None)
@given(answers)
def test_form_when_written_and_read_then_loses_nothing(given_answers):
    assert typed(saved=given_answers) == given_answers


def test_form_when_filled_in_then_understands_full_width_capitals_and_not_applicable():
    with translation.override("ja"):
        assert typed(put(D6="Ａ", D7="５"))["goal"].level == "a"
        assert typed(put(D6="Ａ", D7="５"))["plan"].level == "5"
        assert typed(put(D6="N/A"))["goal"] == Answer("goal", "", True, "根拠は資料3。")


def test_form_when_only_it_changed_then_is_taken_and_what_only_the_portal_changed_stays():
    current = SAVED | {"plan": Answer("plan", "4")}
    read = read_form(edited(put(D6="a")), FORM)
    assert merged(read, current) == {"goal": Answer("goal", "a", comment="根拠は資料3。")}
    assert read.errors == []


def test_form_when_both_changed_the_same_then_names_the_cell_and_takes_nothing_of_it():
    read = read_form(edited(put(D6="a")), FORM)
    assert merged(read, SAVED | {"goal": Answer("goal", "d")}) == {}
    assert [error.place.split("!")[-1] for error in read.errors] == ["D6"]


def test_form_when_both_changed_to_the_same_then_nothing_is_to_do():
    read = read_form(edited(put(D6="a")), FORM)
    assert merged(read, SAVED | {"goal": Answer("goal", "a", comment="根拠は資料3。")}) == {}
    assert read.errors == []


@pytest.mark.parametrize(
    ("change", "places"),
    [
        (put(B1="CASE-0002"), ["B1"]),
        (put(B1=None), ["B1"]),
        (put(B2=4), ["B2"]),
        (put(B2="three"), ["B2"]),
        (put(B3="RUB-0002"), ["B3"]),
        (put(D6="e"), ["D6"]),
        (put(D7="6"), ["D7"]),
        (put(D7="N/A"), ["D7"]),
        (put(D8="a"), ["D8"]),
        (put(A10="extra", D10="a"), ["A10"]),
        (put(A10="goal", D10="a"), ["A10"]),
        (put(D5="Mark"), ["D5"]),
        (put(E6="あ" * 201), ["E6"]),
        (put(E6="=1+1"), ["E6"]),
        (lambda sheet: sheet.delete_rows(7), [""]),
        (lambda sheet: sheet.delete_cols(5), ["5"]),
        (lambda sheet: setattr(sheet, "title", "Other"), [""]),
    ],
)
def test_form_when_something_is_wrong_then_is_refused_by_its_cell(change, places):
    with translation.override("ja"):
        found = refusals(change)
        assert [place for place, _ in found] == [place or str(SHEET) for place in places]
    assert all(message for _, message in found)


def test_form_when_file_is_no_workbook_then_says_so():
    assert len(read_form(io.BytesIO(b"PK no"), FORM).errors) == 1


def test_form_when_a_comment_begins_like_a_formula_then_is_written_as_text():
    sheet = load_workbook(sheet_form(FORM, NAMES, SAVED)).worksheets[0]
    assert sheet["E8"].data_type == "s"
    assert sheet["E8"].value.startswith("'=")
