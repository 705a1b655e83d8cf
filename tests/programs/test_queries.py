"""Reads of programs: paths as prefixes, remainders exactly as the budget document leaves them."""

from datetime import date

import pytest

from common.money import million, printed
from programs.models import BudgetLine, Program, ProgramStaff
from programs.queries import portfolio_tree, programs_visible_to, remainders
from tests.cast import again

pytestmark = pytest.mark.django_db


def rest_of(ref):
    parent = Program.objects.prefetch_related("budget_lines").get(ref=ref)
    children = list(Program.objects.filter(parent=parent).prefetch_related("budget_lines"))
    return {(rest.fiscal_year, rest.kind): million(rest.amount_yen) for rest in remainders(parent, children)}


def test_remainders_of_materials_dx_are_what_the_document_does_not_itemise(cast):
    assert rest_of("materials-dx") == {
        (2022, "initial_proposal"): "1,208", (2021, "initial"): "897", (2021, "supplementary"): "928",
    }  # fmt: skip


def test_remainders_of_the_package_are_what_the_document_does_not_itemise(cast):
    # 63,900 - (5,152 + 991 + 10,707 + 3,650); 62,700 - (3,809 + 10,861 + 3,500); 136,600 - (7,134 + 320 + 125,000)
    assert rest_of("advanced-research-package") == {
        (2022, "initial_proposal"): "43,400", (2021, "initial"): "44,530", (2021, "supplementary"): "4,146",
    }  # fmt: skip


def test_remainders_of_aip_are_none_since_its_children_add_up(cast):
    assert rest_of("aip") == {}


def test_remainders_of_a_program_without_parts_are_none(cast):
    assert rest_of("q-leap") == {}


def test_figures_of_the_first_page_come_out_as_printed(cast):
    lines = BudgetLine.objects.filter(program__ref="advanced-research-package").order_by("-fiscal_year", "kind")
    assert [printed(line.amount_yen, line.printed_unit) for line in lines] == ["639億円", "627億円", "1,366億円"]


def test_portfolio_tree_shows_each_program_once_below_its_parent(cast):
    rows = [(row.depth, row.program.ref, row.project_count) for row in portfolio_tree(cast["auditor1"])]
    assert [row for row in rows if not row[1].endswith("-sample")] == [
        (0, "advanced-research-package", 0),
        (1, "materials-dx", 0),
        (2, "arim", 0),
        (2, "materials-data-core", 0),
        (2, "dxmt", 5),
        (1, "research-data-ecosystem", 0),
        (1, "aip", 0),
        (2, "aip-center", 0),
        (2, "aip-netlab", 0),
        (1, "q-leap", 26),
        (1, "k-program", 0),
    ]


@pytest.mark.parametrize("extra", [1, 12])
def test_portfolio_tree_takes_the_same_queries_for_few_and_many_programs(cast, django_assert_num_queries, extra):
    root = Program.objects.get(ref="advanced-research-package")
    for n in range(extra):
        Program.objects.create(
            ref=f"extra-{n}", name_ja="追加", kind="package", parent=root, path=f"{root.path}extra-{n}/"
        )
    auditor = again(cast["auditor1"])
    with django_assert_num_queries(5):
        portfolio_tree(auditor)


def test_programs_staffed_when_a_path_begins_with_the_same_letters_then_only_the_own_tree_is_seen(cast):
    """`a/b/` is no ancestor of `a/bc/`, and `_` in a reference is no wildcard."""
    for path in ("a/", "a/b/", "a/bc/", "a/b/c/", "a_/", "ab/", "ab/b/"):
        Program.objects.create(ref=path.rstrip("/").replace("/", "--"), name_ja=path, kind="package", path=path)
    secretary = cast["secretariat1"]
    assert not programs_visible_to(secretary).filter(name_ja="a/b/").exists()
    ProgramStaff.objects.create(
        program=Program.objects.get(path="a/b/"), person=secretary.person, role="program_officer",
        starts_on=date(2022, 4, 1), granted_by=cast["staff1"], approved_by=cast["staff2"],
    )  # fmt: skip
    assert set(programs_visible_to(again(secretary)).values_list("path", flat=True)) == {"a/b/", "a/b/c/"}
