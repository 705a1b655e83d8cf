"""Fixtures for every test: the standing cast lies in the database from the start of the session."""

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import setup_databases, teardown_databases
from django.utils import translation
from pytest_django.plugin import blocking_manager_key

from reporting.sample_cast import cast_users
from tests.cast import cast, make_sample, twin, twin_program

__all__ = ["cast", "django_db_setup", "standing", "twin", "twin_program"]


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment, django_db_modify_db_settings, django_db_keepdb, django_db_createdb, django_db_blocker
):
    """The test database, with the cast and the twin in it.

    Made for every run: the library's own fixture leaves it out when no collected test is marked, and what then reads
    and writes, such as a browser test by itself, would do so in the developer's database.
    """
    with django_db_blocker.unblock():
        made = setup_databases(verbosity=0, interactive=False, keepdb=django_db_keepdb and not django_db_createdb)
        make_sample()
    yield
    # Threads of a live server keep their connections to the end, and a database in use cannot be dropped.
    with django_db_blocker.unblock():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        if not django_db_keepdb:
            teardown_databases(made, verbosity=0)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item, nextitem):
    """After a test with transactions of its own, which empties the tables, the cast is there again for the others."""
    result = yield
    marker = item.get_closest_marker("django_db")
    if nextitem is not None and marker is not None and marker.kwargs.get("transaction"):
        with item.config.stash[blocking_manager_key].unblock():
            make_sample()
    return result


@pytest.fixture(autouse=True)
def language():
    """Every test begins in the product's language: a request leaves its reader's language on the thread."""
    with translation.override(settings.LANGUAGE_CODE):
        yield


@pytest.fixture
def standing(django_db_setup, django_db_blocker):
    """The standing cast as committed rows, for other processes to read; ask for it before `db`.

    A test with transactions of its own empties the tables.
    """
    with django_db_blocker.unblock():
        if not cast_users():
            make_sample()
