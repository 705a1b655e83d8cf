"""Research areas (技術領域)."""

from __future__ import annotations

from api.filters import FlagFilter, RefFilter
from api.sql_json import Day, Facts, Flag, Integer, Names, OptionalText, SqlSerializer, Text
from api.v1.parts import BY_REF, SAMPLE, SOURCE
from api.views import NounDetail, NounList
from programs.queries import areas_visible_to, search_areas


class AreaOut(SqlSerializer):
    """A research area (技術領域) of a program."""

    ref = Text(help_text="Reference, never changes")
    program = Text(source="program.ref")
    number = Integer(help_text="Number within the program")
    name = Names()
    joined_on = Day(allow_null=True, help_text="Part of the program from")
    left_on = Day(allow_null=True, help_text="Part of the program until")
    flagship_count = Integer(allow_null=True, help_text="Flagship projects as printed")
    basic_count = Integer(allow_null=True, help_text="Basic projects (基礎基盤研究) as printed")
    human_resources_count = Integer(allow_null=True, help_text="Human resources projects (人材育成) as printed")
    themes = Facts(source="themes_ja", help_text="Themes by kind of project, in Japanese")
    source = OptionalText(help_text=SOURCE)
    is_sample = Flag(help_text=SAMPLE)


class AreaList(NounList):
    scopes = {"GET": "areas:read"}
    output = AreaOut
    visible = areas_visible_to
    search = search_areas
    orders = BY_REF
    filters = {
        "program": RefFilter("program__ref", "Areas of this program"),
        "is_sample": FlagFilter("is_sample", SAMPLE),
    }


class AreaDetail(NounDetail):
    scopes = {"GET": "areas:read"}
    output = AreaOut
    visible = areas_visible_to
