"""Reading a portfolio file: the shipped one is whole, and each kind of bad input is named by its path."""

import copy
import json

import pytest
from django.utils import translation

from common.errors import Refused
from common.reading import Node, parse_json
from programs import portfolio as reading
from programs.actions.portfolio import SHIPPED_PORTFOLIO
from programs.models import BudgetLine, OutcomeIndicator, Program, Project
from programs.portfolio import read_portfolio

SHIPPED = json.loads(SHIPPED_PORTFOLIO.read_text("utf-8"))
ARIM, Q_LEAP, FIRST_FLAGSHIP = 2, 9, 0


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def problems_after(change):
    """The problems (path > message) of the shipped file after a change."""
    data = copy.deepcopy(SHIPPED)
    change(data)
    return {problem.field: problem.message for problem in read_portfolio(Node(data, "")).problems}


def put(path, value):
    """A change that sets one place of the document; the last part of the path is the key."""

    def change(data):
        *parents, key = path
        for part in parents:
            data = data[part]
        data[key] = value

    return change


def test_read_portfolio_of_shipped_file_finds_no_problem_and_everything():
    found = read_portfolio(Node(copy.deepcopy(SHIPPED), ""))
    assert found.problems == []
    assert len(found.organizations) == len(SHIPPED["organizations"]) == 19
    assert len(found.programs) == len(SHIPPED["programs"]) == 11
    assert len(found.areas) == len(SHIPPED["areas"]) == 4
    assert len(found.projects) == len(SHIPPED["projects"]) == 31
    assert found.paths["arim"] == "advanced-research-package/materials-dx/arim/"
    assert [row.ref for row in found.indicators] == [
        "arim-capacity-1", "arim-capacity-2", "facility-uses-per-year", "data-items-per-year",
    ]  # fmt: skip
    q_leap = found.programs[Q_LEAP]
    assert q_leap.area_scale == (600_000_000, 1_200_000_000)
    assert [year for year, _text in q_leap.emphases] == [2022, 2022]


def test_words_of_the_reader_are_the_choices_of_the_models():
    assert list(reading.PROGRAM_KINDS) == Program.Kind.values
    assert list(reading.PROJECT_KINDS) == Project.Kind.values
    assert list(reading.BUDGET_KINDS) == BudgetLine.Kind.values
    assert list(reading.PRINTED_UNITS) == BudgetLine.PrintedUnit.values
    assert list(reading.DIRECTIONS) == OutcomeIndicator.Direction.values
    assert list(reading.PERIODS) == OutcomeIndicator.Period.values


AMOUNT = ["programs", 3, "budget_lines", 0, "amount_yen"]
BAD = [
    (put(AMOUNT, "850"), "programs[3].budget_lines[0].amount_yen",
     "Write a whole number without quotation marks and commas here, not the text “850”."),
    (put(AMOUNT, 850.5), "programs[3].budget_lines[0].amount_yen",
     "Write a whole number without quotation marks and commas here, not the number 850.5."),
    (put(AMOUNT, True), "programs[3].budget_lines[0].amount_yen",
     "Write a whole number without quotation marks and commas here, not true or false."),
    (put(AMOUNT, None), "programs[3].budget_lines[0].amount_yen",
     "Write a whole number without quotation marks and commas here, not null."),
    (put(AMOUNT, 10**18), "programs[3].budget_lines[0].amount_yen",
     "Write a whole number from -1,000,000,000,000,000 to 1,000,000,000,000,000."),
    (put(AMOUNT, -850000000), "programs[3].budget_lines[0].amount_yen",
     "A negative amount needs is_reduction: true. Add it, or remove the minus sign."),
    (put(["programs", 3, "budget_lines", 0, "printed_unit"], "thousand"), "programs[3].budget_lines[0].printed_unit",
     "“thousand” is not known here. Use one of: oku, million."),
    (put(["programs", 3, "budget_lines", 0, "is_estimate"], "yes"), "programs[3].budget_lines[0].is_estimate",
     "Write true or false here, not the text “yes”."),
    (put(["programs", 3, "kind"], "flagship"), "programs[3].kind",
     "“flagship” is not known here. Use one of: " + ", ".join(reading.PROGRAM_KINDS) + "."),
    (put(["projects", 0, "kind"], 7), "projects[0].kind", "Write a text here, not the number 7."),
    (put(["programs", 3, "id"], "arim"), "programs[3].id",
     "“arim” already stands at programs[2].id. Give each its own."),
    (put(["projects", 5, "id"], "ql1-b2"), "projects[5].id",
     "“ql1-b2” already stands at projects[3].id. Give each its own."),
    (put(["programs", 0, "parent"], "arim"), "programs[0].parent",
     "These programs are part of each other: advanced-research-package > arim > materials-dx > "
     "advanced-research-package. Correct one parent."),
    (put(["programs", 3, "parent"], "materials"), "programs[3].parent",
     "There is no program “materials” in this file. Correct the id or add it."),
    (put(["projects", 0, "lead_institution"], "nasa"), "projects[0].lead_institution",
     "There is no organization “nasa” in this file. Correct the id or add it."),
    (put(["projects", 0, "area"], "ql9"), "projects[0].area",
     "There is no research area “ql9” in this file. Correct the id or add it."),
    (put(["projects", 0, "program"], "dxmt"), "projects[0].area",
     "The area “ql1” belongs to the program “q-leap”. Correct the area or the program."),
    (put(["programs", 8, "attributes", "operated_by"], "JAXA"), "programs[8].attributes.operated_by",
     "There is no organization “jaxa” in this file. Correct the name or add the organization."),
    (put(["organizations", 4, "corporate_number"], "8000012050002"), "organizations[4].corporate_number",
     "Check the corporate number: its first digit, the check digit, does not match the other twelve."),
    (put(["organizations", 4, "corporate_number"], "4010505"), "organizations[4].corporate_number",
     "Enter the corporate number as 13 digits."),
    (put(["organizations", 4, "ror"], "00097mb18"), "organizations[4].ror",
     "Check the ROR id: its last two digits, the check digits, do not match the others."),
    (put(["projects", 0, "award_numbers"], ["JPMXS0118067394", "MXS-1"]), "projects[0].award_numbers[1]",
     "Enter the award number as printed on the contract, such as JPMXS0118067394: it begins with JP."),
    (put(["projects", 0, "award_numbers"], "JPMXS0118067394"), "projects[0].award_numbers",
     "Write a list here, not the text “JPMXS0118067394”."),
    (put(["projects", 0, "colour"], "red"), "projects[0].colour",
     "This key is not known here. Remove it or correct its spelling. Known keys: id, program, area, kind, "
     "lead_institution, theme_ja, title_ja, target_trl, start_fiscal_year, end_fiscal_year, award_numbers, source, "
     "theme_note."),
    (put(["projects", 0, "target_trl"], 10), "projects[0].target_trl", "Write a whole number from 1 to 9."),
    (put(["programs", 2, "end_fiscal_year"], 2020), "programs[2].end_fiscal_year",
     "The last fiscal year lies before the first. Correct one."),
    (put(["programs", 1, "policy_basis", 0, "date"], "2021-13"), "programs[1].policy_basis[0].date",
     "Write it in the form 2021-06, 2021-06-18."),
    (put(["programs", 2, "name_ja"], "マテリアル\nARIM"), "programs[2].name_ja",
     "Remove line breaks, control characters and superfluous spaces, and write it as NFC."),
    (put(["programs", 2, "name_ja"], "あ" * 201), "programs[2].name_ja",
     "Shorten this to 200 characters; it has 201."),
    (put(["programs", 2], "arim"), "programs[2]", "Write an object here, not the text “arim”."),
    (put(["areas", 1, "number"], 1), "areas[1].number",
     "“q-leap 1” already stands at areas[0].number. Give each its own."),
    (put(["areas", 0, "themes_ja"], {"spin": "量子"}), "areas[0].themes_ja.spin",
     "This key is not known here. Remove it or correct its spelling. Known keys: "
     + ", ".join(reading.PROJECT_KINDS) + "."),
    (put(["indicator_targets", 0, "direction"], "up"), "indicator_targets[0].direction",
     "“up” is not known here. Use one of: at_least, at_most, about."),
]  # fmt: skip


@pytest.mark.parametrize(("change", "path", "message"), BAD, ids=[f"{n}-{bad[1]}" for n, bad in enumerate(BAD)])
def test_read_portfolio_when_a_place_is_bad_then_it_is_named_with_what_to_do(change, path, message):
    assert problems_after(change)[path] == message


def test_read_portfolio_when_negative_is_marked_as_reduction_then_it_is_read():
    def change(data):
        data["programs"][3]["budget_lines"][0] |= {"amount_yen": -26_000_000_000, "is_reduction": True}

    assert problems_after(change) == {}


def test_read_portfolio_when_a_key_is_missing_then_its_place_is_named():
    assert problems_after(lambda data: data["projects"][0].pop("source")) == {
        "projects[0].source": "This key is missing. Add it."
    }


def test_read_portfolio_when_several_places_are_bad_then_all_are_told_at_once():
    def change(data):
        data["programs"][2]["kind"] = "lab"
        data["projects"][0]["kind"] = "moonshot"
        data["organizations"].append({"id": "riken", "name_ja": "理研"})

    assert set(problems_after(change)) == {"programs[2].kind", "projects[0].kind", "organizations[19].id"}


def test_read_portfolio_when_two_award_numbers_are_the_same_then_the_second_is_named():
    def change(data):
        data["projects"][0]["award_numbers"] = ["JPMXS0118067394"]
        data["projects"][1]["award_numbers"] = ["JPMXS0118067285", "JPMXS0118067394"]

    assert problems_after(change) == {
        "projects[1].award_numbers[1]": "“JPMXS0118067394” already stands at projects[0].award_numbers[0]. "
        "Give each its own."
    }


def test_read_portfolio_when_a_cycle_is_below_then_only_its_own_programs_are_named():
    def change(data):
        data["programs"][1]["parent"] = "arim"  # materials-dx is above arim

    assert set(problems_after(change)) == {"programs[1].parent", "programs[2].parent"}


def test_parse_json_when_broken_then_the_line_is_named():
    with pytest.raises(Refused, match="line 3, column 1"):
        parse_json(b'{\n "about": {},\n}')


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"a": NaN}', "“NaN” is not a number in JSON. Write null where there is no value."),
        ('{"a":\n "量"}'.encode("cp932"), "The file is not UTF-8: line 2. Save it as UTF-8."),
        (b"[" * 200_000, "The file is nested too deeply. Check its brackets."),
        (b"", "This is not valid JSON: line 1, column 1. Correct the file there."),
    ],
)
def test_parse_json_when_it_is_no_json_then_it_says_what_to_do(data, message):
    with pytest.raises(Refused) as refusal:
        parse_json(data)
    assert refusal.value.message == message


def test_parse_json_when_a_key_stands_twice_then_it_is_a_problem_not_the_last_value():
    root = parse_json(b'{"about": {}, "programs": [], "programs": []}')
    read_portfolio(root)
    assert [p.message for p in root.problems if p.field == "programs"] == [
        "This key stands twice in the same object. Keep one of them."
    ]


@pytest.mark.parametrize("data", [b"[]", b"7", b"null", b'"text"'])
def test_read_portfolio_when_root_is_no_object_then_it_is_refused(data):
    assert [problem.code for problem in read_portfolio(parse_json(data)).problems] == ["wrong_type"]


@pytest.mark.parametrize("value", [None, True, 7, "x", [], {}, [None], [7], [[]], {"a": None}])
@pytest.mark.parametrize("key", list(SHIPPED))
def test_read_portfolio_whatever_stands_at_the_top_then_it_ends_with_problems_or_rows(key, value):
    found = read_portfolio(Node({**copy.deepcopy(SHIPPED), key: value}, ""))
    empty = value in (None, []) or key in ("about", "vision_scheme")
    if key == "organizations" or not empty:
        assert found.problems


def test_read_portfolio_with_any_place_exchanged_never_breaks():
    """Every place of the file in turn becomes a value of another type; the reader must name it, not fall over."""
    silent = []
    for path in places(SHIPPED):
        if path[0] in ("about", "vision_scheme") or "attributes" in path:
            continue
        data = copy.deepcopy(SHIPPED)
        put(path, {"unexpected": [1]})(data)
        if not read_portfolio(Node(data, "")).problems:
            silent.append(path)
    assert silent == []


def places(value, path=()):
    """The paths of all places in a document."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        yield [*path, key]
        yield from places(member, [*path, key])
