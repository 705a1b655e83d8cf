"""Leaves: kept for the day as SQL, never what they find."""

from datetime import UTC, date, datetime

import pytest

from accounts.models import Person
from common.subselects import daily
from programs.models import Project, ProjectRecusal
from programs.rules import not_recused
from programs.rules.scope import projects_excluded


@pytest.mark.django_db
def test_leaf_when_rows_change_then_found_anew_by_the_same_sql(cast, twin):
    person, project = cast["evaluator2"].person, twin["sample-ql1-f2"]
    free = Project.objects.filter(not_recused(person.pk), pk=project.pk)
    assert free.exists()
    recusal = ProjectRecusal.objects.create(
        person=person, project=project, starts_on=date(2020, 1, 1), source_ref="COI-LEAF"
    )
    assert not free.all().exists()
    ProjectRecusal.objects.filter(pk=recusal.pk).update(ends_on=date(2020, 1, 2))
    assert free.all().exists()


@pytest.mark.django_db
def test_leaf_when_the_day_changes_then_written_anew(cast, twin, monkeypatch):
    person, project = cast["evaluator2"].person, twin["sample-ql1-f2"]
    ProjectRecusal.objects.create(person=person, project=project, starts_on=date(2999, 1, 1), source_ref="COI-LEAF")
    assert Project.objects.filter(not_recused(person.pk), pk=project.pk).exists()
    monkeypatch.setattr("django.utils.timezone.now", lambda: datetime(2999, 1, 1, 3, tzinfo=UTC))
    assert not Project.objects.filter(not_recused(person.pk), pk=project.pk).exists()


@pytest.mark.django_db
def test_leaf_when_used_in_two_conditions_then_written_once_for_each_person(cast):
    built = []

    @daily
    def named(name):
        built.append(name)
        return Person.objects.filter(name_ja=name).values("pk")

    for _ in range(3):
        assert Person.objects.filter(pk__in=named(cast["pd1"].person.name_ja)).get() == cast["pd1"].person
    assert list(Person.objects.filter(pk__in=named("誰でもない人"))) == []
    assert built == [cast["pd1"].person.name_ja, "誰でもない人"]


@pytest.mark.django_db
def test_leaf_when_nothing_can_be_found_then_no_row_and_no_error(cast):
    nobody = daily(lambda: Person.objects.none().values("pk"))
    assert not Person.objects.filter(pk__in=nobody()).exists()
    assert Person.objects.exclude(pk__in=nobody()).exists()
    assert projects_excluded(0) is projects_excluded(0)
