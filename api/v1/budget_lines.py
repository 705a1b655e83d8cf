"""Budget lines (予算額) as printed."""

from __future__ import annotations

from typing import Any

from api.filters import ChoiceFilter, FlagFilter, RefFilter, YearFilter
from api.pagination import Order
from api.sql_json import Choice, Flag, Integer, Joined, OptionalText, SqlSerializer, Text, Yen
from api.v1.parts import SAMPLE, SOURCE
from api.views import NounDetail, NounList
from programs.models import BudgetLine
from programs.queries import budget_lines_visible_to

_KEY = ("program__ref", "fiscal_year", "kind")


class BudgetLineOut(SqlSerializer):
    """A figure of a program for one fiscal year (予算額), as printed. Parts need not add up to their whole."""

    ref = Joined("program.ref", "fiscal_year", "kind", help_text="<program>.<fiscal year>.<kind>")
    program = Text(source="program.ref")
    fiscal_year = Integer(help_text="Calendar year of its April")
    kind = Choice(choices=BudgetLine.Kind.choices)
    amount_yen = Yen()
    is_estimate = Flag(help_text="推計額")
    includes_predecessor = Flag(help_text="Includes the amount of the program before it")
    is_new = Flag(help_text="新規: there is no previous year")
    is_reduction = Flag()
    tax_included = Flag(allow_null=True, help_text="Null: the source does not say")
    printed_unit = Choice(choices=BudgetLine.PrintedUnit.choices, help_text="The unit it is printed in")
    note = OptionalText()
    source = OptionalText(help_text=SOURCE)
    is_sample = Flag(source="program.is_sample", help_text=SAMPLE)


class BudgetLineList(NounList):
    scopes = {"GET": "budget-lines:read"}
    output = BudgetLineOut
    visible = budget_lines_visible_to
    orders = {
        "ref": Order(_KEY, (str, int, str)),
        "-ref": Order(_KEY, (str, int, str), descending=True),
    }
    filters = {
        "program": RefFilter("program__ref", "Lines of this program, not of its parts"),
        "fiscal_year": YearFilter("fiscal_year", "Fiscal year"),
        "kind": ChoiceFilter("kind", "Kind of budget", BudgetLine.Kind),
        "is_sample": FlagFilter("program__is_sample", SAMPLE),
    }


class BudgetLineDetail(NounDetail):
    scopes = {"GET": "budget-lines:read"}
    output = BudgetLineOut
    visible = budget_lines_visible_to
    ref_schema = {"pattern": r"^[A-Za-z0-9_-]+\.[0-9]{4}\.[a-z_]+$", "maxLength": 100}

    def lookup(self, ref: str) -> dict[str, Any]:
        program, year, kind = ref.split(".")
        return {"program__ref": program, "fiscal_year": int(year), "kind": kind}
