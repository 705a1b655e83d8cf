"""Production refuses to start half set up, and says what to set."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.settings.environment import broker, database, mail, storage

ROOT = Path(__file__).resolve().parents[2]
COMPLETE = {
    "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "SITE_URL": "https://sekisho.example",
    "CONTACT_EMAIL": "contact@sekisho.example",
    "DATABASE_URL": "postgresql://app:secret@127.0.0.1:1/sekisho",
    "EMAIL_URL": "smtp://127.0.0.1:25",
    "MAIL_FROM": "noreply@sekisho.example",
    "STORAGE_URL": "file:/nowhere/files",
}
START = "import config.settings.prod"


def _start(environment: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "config.settings.prod", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", sorted(COMPLETE))
def test_production_when_a_variable_is_missing_then_it_refuses_and_names_it(name: str) -> None:
    result = _start({k: v for k, v in COMPLETE.items() if k != name}, "-c", START)
    assert result.returncode != 0
    assert f"The environment variable {name} is missing" in result.stderr


def test_production_when_complete_then_the_deployment_check_is_clean() -> None:
    result = _start(COMPLETE, "-W", "ignore", "manage.py", "check", "--deploy", "--fail-level", "WARNING")
    assert result.returncode == 0, result.stderr
    assert "no issues" in result.stdout


def test_database_when_url_has_a_socket_then_the_host_is_the_socket() -> None:
    found = database("postgresql://me@/sekisho?host=/run/pg")
    assert (found["HOST"], found["USER"], found["NAME"]) == ("/run/pg", "me", "sekisho")


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("postgresql://me:pw@db:5433/sekisho", "host=db port=5433 user=me password=pw dbname=sekisho"),
        ("postgresql://me@/sekisho?host=/run/pg", "host=/run/pg user=me dbname=sekisho"),
        ("postgresql://me:a%20b'@db/sekisho", r"host=db user=me password='a b\'' dbname=sekisho"),
    ],
)
def test_broker_when_none_is_named_then_it_is_the_database_in_libpq_form(url: str, text: str) -> None:
    found = broker("", database(url), 2700)
    options = found["CELERY_BROKER_TRANSPORT_OPTIONS"]
    assert found["CELERY_BROKER_URL"] == "pgmq://localhost"
    assert (options["conn_string"], options["visibility_timeout"]) == (text, 2700)


def test_broker_when_redis_then_lost_tasks_come_back_soon() -> None:
    found = broker("redis://queue:6379/0", database("postgresql://me@db/sekisho"), 2700)
    assert found == {
        "CELERY_BROKER_URL": "redis://queue:6379/0",
        "CELERY_BROKER_TRANSPORT_OPTIONS": {"visibility_timeout": 2700, "unacked_restore_throttle": 1},
    }


@pytest.mark.parametrize("url", ["ftp://x", "http://x", "x"])
def test_address_when_of_an_unknown_kind_then_it_is_refused(url: str) -> None:
    for read in (database, mail, lambda value: storage(value, "/")):
        with pytest.raises(ImproperlyConfigured):
            read(url)
