"""Reading the vision scheme: whatever stands at any place is read or named, never passed over."""

import copy
import json

import pytest

from calls.vision_scheme import read_vision_scheme
from common.reading import Node
from programs.actions.portfolio import SHIPPED_PORTFOLIO
from programs.portfolio import read_portfolio

SHIPPED = json.loads(SHIPPED_PORTFOLIO.read_text("utf-8"))


def read(data):
    portfolio = read_portfolio(Node(data, ""))
    return portfolio, read_vision_scheme(portfolio)


def places(value, path=()):
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        yield [*path, key]
        yield from places(member, [*path, key])


def exchanged(path, value):
    data = copy.deepcopy(SHIPPED)
    *parents, key = ["vision_scheme", *path]
    place = data
    for part in parents:
        place = place[part]
    place[key] = value
    return data


def test_vision_scheme_of_the_shipped_file_is_read_without_problems():
    portfolio, scheme = read(copy.deepcopy(SHIPPED))
    assert portfolio.problems == []
    assert (scheme.program, len(scheme.visions), len(scheme.technologies), len(scheme.concepts)) == (
        "k-program", 2, 4, 14,
    )  # fmt: skip
    assert {concept.agency for concept in scheme.concepts} == {"jst", "nedo"}
    assert scheme.technologies[0].sources == SHIPPED["vision_scheme"]["technologies"][0]["source"]


@pytest.mark.parametrize("value", [{"unexpected": [1]}, -1, True, "\x00", 1.5])
def test_vision_scheme_with_any_place_exchanged_is_named(value):
    silent = [path for path in places(SHIPPED["vision_scheme"]) if not read(exchanged(path, value))[0].problems]
    allowed = {"approximate"} if value is True else set()
    assert [path for path in silent if path[-1] not in allowed] == []


def test_vision_scheme_when_missing_then_the_rest_is_read():
    data = copy.deepcopy(SHIPPED)
    del data["vision_scheme"]
    portfolio, scheme = read(data)
    assert (scheme, portfolio.problems, len(portfolio.programs)) == (None, [], 11)


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        (["concepts", 3, "id"], "concept-auv", "vision_scheme.concepts[3].id"),
        (["concepts", 10, "items", 1, "numbers"], [3, 4], "vision_scheme.concepts[10].items[1].numbers"),
        (["concepts", 1, "ceiling_yen"], -1, "vision_scheme.concepts[1].ceiling_yen"),
        (["visions", 0, "decided_month"], "2022-9", "vision_scheme.visions[0].decided_month"),
        (["technologies", 0, "vision"], "vision-3", "vision_scheme.technologies[0].vision"),
    ],
)
def test_vision_scheme_when_a_place_is_bad_then_its_path_is_named(path, value, named):
    assert [problem.field for problem in read(exchanged(path, value))[0].problems] == [named]
