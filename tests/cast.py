"""The standing cast of the tests: the sample cast and the sample twin, the same that `play_cycle` uses.

How to use it: every test database holds the real portfolio, the cast and the twin from the start (made once a session
by `django_db_setup` in `tests/conftest.py`, as of `TODAY`), so ask for a fixture and go:

    def test_report_when_returned_then_author_sees_comments(cast, twin):
        pi = cast["pi1"]                    # accounts.User by the name of the sign-in
        flagship = twin["sample-ql1-f1"]    # programs.Project by its reference
        client.force_login(cast["staff1"])

- `cast` is a dict: staff1 staff2 secretariat1 pd1..pd4 deputy1 po1 po2 hq1 pi1..pi5 coinvestigator1..5 office1 office2
  accountant1 evaluator1..12 chair1 jst1 jst2 nedo1 security1 cabinet1 user_ministry1 auditor1 applicant1.
  The users are read afresh for each test, since what a user may do is kept on the object: after granting or ending a
  role inside a test, read the user again with `again(user)`.
- `twin` is a dict of the twin's 26 projects by reference; `twin_program` is the program, its areas hang on it.
- pd1 directs area 1 (deputy1 stands in), pd2 area 2 ...; po1 serves areas 1 and 2, po2 3 and 4. pi1 leads sample-ql1-f1
  with coinvestigator1 at the partner, hq1 at its HQ, office1 and accountant1 at the lead institution, office2 at the
  partner. pi2 > sample-ql1-f2, pi3 > sample-ql2-f1, pi4 > sample-ql2-f2, pi5 > sample-ql3-f1. evaluator1 has a
  confirmed conflict with sample-ql1-f1. staff1 and staff2 staff the twin and every real root.
- The tables are never empty: count what you made, or compare with `==` on what belongs to you.
- In a `transaction=True` test the tables are emptied afterwards; the fixtures build the cast again where it is missing.
"""

from __future__ import annotations

from datetime import date

import pytest
from django.utils import timezone

from accounts.models import User
from calls.actions.portfolio import load_portfolio
from common.actors import SYSTEM
from programs.actions.portfolio import SHIPPED_PORTFOLIO
from programs.models import Program, Project
from reporting.sample_cast import build_sample, cast_users
from reporting.sample_twin import PROGRAM_REF

#: The day as of which the twin is built. Roles hold on the real day too: they began in 2018 and have no end.
TODAY = date(2026, 6, 3)


def make_sample() -> None:
    """This function will load the real portfolio and make the cast and the twin, whatever of it is missing."""
    load_portfolio(SHIPPED_PORTFOLIO.read_bytes(), by=SYSTEM, at=timezone.now())
    build_sample(on=TODAY)


def again(user: User) -> User:
    """This function will read a user again, without what was kept on the object."""
    return User.objects.select_related("person").get(pk=user.pk)


@pytest.fixture
def cast(db: None) -> dict[str, User]:
    """The sample users by name."""
    users = cast_users()
    if not users:
        make_sample()
        users = cast_users()
    return users


@pytest.fixture
def twin(cast: dict[str, User]) -> dict[str, Project]:
    """The sample twin's projects by reference."""
    projects = Project.objects.filter(program__ref=PROGRAM_REF).select_related("program", "area")
    return {project.ref: project for project in projects}


@pytest.fixture
def twin_program(cast: dict[str, User]) -> Program:
    """The sample twin itself."""
    return Program.objects.get(ref=PROGRAM_REF)
