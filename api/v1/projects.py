"""Projects (課題)."""

from __future__ import annotations

from api.filters import ChoiceFilter, FlagFilter, RefFilter
from api.sql_json import Choice, Flag, Integer, Names, OptionalText, Rows, SqlSerializer, Text
from api.v1.parts import BY_REF, SAMPLE, SOURCE, ParticipationPart
from api.views import NounDetail, NounList
from programs.models import Project
from programs.queries import projects_visible_to, search_projects


class ProjectOut(SqlSerializer):
    """A project (課題) of any kind."""

    ref = Text(help_text="Reference, never changes")
    program = Text(source="program.ref")
    area = Text(source="area.ref", allow_null=True)
    kind = Choice(choices=Project.Kind.choices)
    state = Choice(choices=Project.State.choices)
    title = Names("title", help_text="Null where the source prints no title")
    theme = OptionalText(source="theme_ja")
    theme_note = OptionalText()
    target_trl = Integer(allow_null=True, help_text="TRL to reach, 1 to 9")
    start_fiscal_year = Integer(allow_null=True)
    end_fiscal_year = Integer(allow_null=True)
    award_numbers = Rows(Project, column="number", order_by=["number"], help_text="Systematic numbers (体系的番号)")
    participations = Rows(Project, child=ParticipationPart(), order_by=["role", "organization__ref", "id"])
    complements = Rows(
        Project,
        column="flagship.ref",
        order_by=["flagship__ref"],
        help_text="Flagship projects that this basic project complements",
    )
    source = OptionalText(help_text=SOURCE)
    is_sample = Flag(help_text=SAMPLE)


class ProjectList(NounList):
    scopes = {"GET": "projects:read"}
    output = ProjectOut
    visible = projects_visible_to
    search = search_projects
    orders = BY_REF
    filters = {
        "program": RefFilter("program__ref", "Projects of this program, not of its parts"),
        "area": RefFilter("area__ref", "Projects of this research area"),
        "kind": ChoiceFilter("kind", "Kind of project", Project.Kind),
        "state": ChoiceFilter("state", "State of the project", Project.State),
        "is_sample": FlagFilter("is_sample", SAMPLE),
    }


class ProjectDetail(NounDetail):
    scopes = {"GET": "projects:read"}
    output = ProjectOut
    visible = projects_visible_to
