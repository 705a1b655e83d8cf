"""Each `..._visible_to` queryset equals its predicate on one object, over the whole cast, with and without conflict."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import Q

from accounts.models import User
from programs import queries, rules
from programs.models import PlanVersion, Program, Project, ResearchArea
from programs.queries import plans as plan_queries
from programs.rules import plans as plan_rules
from reporting import queries as reporting_queries
from reporting import rules as reporting_rules
from reporting.models import ProgressReport
from tests.cast import again
from tests.programs.test_plans import handed_on, written

KINDS: list[tuple[type, Callable[[Any], Any], Callable[[Any], Q]]] = [
    (Program, queries.programs_visible_to, rules.programs_visible),
    (ResearchArea, queries.areas_visible_to, rules.areas_visible),
    (Project, queries.projects_visible_to, rules.projects_visible),
    (PlanVersion, plan_queries.plans_visible_to, plan_rules.plans_visible),
    (ProgressReport, reporting_queries.reports_visible_to, reporting_rules.reports_visible),
]


@pytest.mark.parametrize(("model", "visible_to", "condition"), KINDS, ids=lambda v: getattr(v, "__name__", ""))
@pytest.mark.django_db
def test_list_when_compared_with_the_predicate_then_the_same_for_everybody(
    cast: dict[str, User],
    twin: dict[str, Project],
    model: Any,
    visible_to: Callable[[Any], Any],
    condition: Callable[[Any], Q],
) -> None:
    if model is PlanVersion:
        handed_on(written(twin["sample-ql1-f1"], cast), cast)
        written(twin["sample-ql1-f1"], cast, kind="approval")
    assert model.objects.exists() or model is ProgressReport
    for name, user in cast.items():
        user = again(user)
        listed = set(visible_to(user).values_list("pk", flat=True))
        one_by_one = {
            pk
            for pk in model.objects.values_list("pk", flat=True)
            if model.objects.filter(condition(user), pk=pk).exists()
        }
        assert listed == one_by_one, name


@pytest.mark.django_db
def test_actions_when_the_object_is_not_visible_then_none(cast: dict[str, User]) -> None:
    for user in cast.values():
        seen = set(queries.projects_visible_to(user).values_list("pk", flat=True))
        for project in Project.objects.exclude(pk__in=seen)[:5]:
            assert rules.actions_allowed(user, project) == set()
