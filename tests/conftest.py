"""Fixtures for every test: the standing cast lies in the database from the start of the session."""

import pytest

from tests.cast import cast, make_sample, twin, twin_program

__all__ = ["cast", "django_db_setup", "twin", "twin_program"]


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """The test database, with the cast and the twin in it."""
    with django_db_blocker.unblock():
        make_sample()
