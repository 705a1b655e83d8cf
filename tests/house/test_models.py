"""The tables of moves and the database say the same; migrations are complete; look-alike guards on all models."""

import pgtrigger
import pytest
from django.apps import apps
from django.core.management import call_command

from common.states import edges
from config.docs import machines

OWN_APPS = ("common", "accounts", "programs", "calls", "evaluations", "reporting", "api")
OWN_MODELS = [model for app in OWN_APPS for model in apps.get_app_config(app).get_models()]


@pytest.mark.parametrize(("model", "table"), machines(), ids=lambda value: getattr(value, "__name__", ""))
def test_table_of_moves_when_compared_then_trigger_and_choices_agree(model: type, table: dict) -> None:
    triggers = [t for t in model._meta.triggers if isinstance(t, pgtrigger.FSM)]
    assert [sorted(t.transitions) for t in triggers] == [edges(table)]
    values = {value for value, _ in model._meta.get_field("state").choices}
    named = {state for edge in edges(table) for state in edge}
    assert named == values


def test_machines_when_listed_then_every_state_trigger_is_among_them() -> None:
    with_fsm = {m for m in OWN_MODELS if any(isinstance(t, pgtrigger.FSM) for t in getattr(m._meta, "triggers", []))}
    assert with_fsm == {model for model, _ in machines()}


@pytest.mark.django_db
def test_migrations_when_compared_with_the_models_then_complete() -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


@pytest.mark.parametrize("model", OWN_MODELS, ids=lambda m: m._meta.label)
def test_model_when_shown_then_it_has_names_in_words(model: type) -> None:
    assert (
        str(model._meta.verbose_name)[0].islower()
        or str(model._meta.verbose_name)[:2].isupper()
        or not str(model._meta.verbose_name).isascii()
    )
    assert "save" not in model.__dict__, "no logic in save()"


@pytest.mark.parametrize("model", OWN_MODELS, ids=lambda m: m._meta.label)
def test_money_field_when_declared_then_it_is_whole_yen(model: type) -> None:
    for field in model._meta.get_fields():
        if getattr(field, "name", "").endswith("_yen"):
            assert field.get_internal_type() == "BigIntegerField"
