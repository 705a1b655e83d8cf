"""10,000 random steps over a gate round; the walk has to get somewhere, or it would show nothing."""

import os

import pytest

from tests.evaluations.round_machine import walk

pytestmark = pytest.mark.django_db
STEPS = int(os.environ.get("SEKISHO_DRILL_STEPS", "10000"))


def test_round_when_anybody_tries_anything_then_what_must_never_be_is_not(cast, twin):
    done = walk(cast, twin, steps=STEPS)
    for act in ("save_sheet", "submit_sheet", "return_sheet", "close_scores", "invalidate_case", "add_addendum"):
        assert done.get(act, 0) > 0, f"{act} never succeeded in {STEPS} steps: {done}"
