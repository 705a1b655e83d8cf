"""The embedded server: survives a kill, cleans up after it, and gives the application a role that owns nothing."""

import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from config import postgres


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("pg")
    for parent in (folder, folder.parent, folder.parent.parent):
        parent.chmod(0o755)
    yield folder
    postgres.stop(folder)


def _kill(home: Path) -> None:
    pid = int(postgres.cluster(home).pid_file.read_text().split()[0])
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)


def test_server_when_started_twice_then_the_second_finds_it(home: Path) -> None:
    first = postgres.ensure_running(home)
    pid = first.pid_file.read_text().split()[0]
    second = postgres.ensure_running(home)
    assert second == first
    assert second.pid_file.read_text().split()[0] == pid


def test_server_when_killed_then_the_next_start_keeps_what_was_committed(home: Path) -> None:
    at = postgres.ensure_running(home)
    with psycopg.connect(at.url(postgres.OWNER)) as connection:
        connection.execute("CREATE TABLE kept (n int)")
        connection.execute("INSERT INTO kept SELECT generate_series(1, 1000)")
    _kill(home)
    assert at.pid_file.exists()
    again = postgres.ensure_running(home)
    with psycopg.connect(again.url(postgres.OWNER)) as connection:
        row = connection.execute("SELECT count(*) FROM kept").fetchone()
    assert row == (1000,)


def test_server_when_too_busy_to_answer_then_it_is_waited_for_and_keeps_its_socket(home: Path) -> None:
    at = postgres.ensure_running(home)
    pid = int(at.pid_file.read_text().split()[0])
    os.kill(pid, signal.SIGSTOP)
    waker = threading.Timer(4, os.kill, (pid, signal.SIGCONT))
    waker.start()
    try:
        again = postgres.ensure_running(home)
    finally:
        waker.join()
    assert int(again.pid_file.read_text().split()[0]) == pid
    assert postgres.is_running(again)


def test_server_when_its_folder_was_deleted_under_it_then_the_old_one_ends_before_the_new_one_starts(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """It would notice within a minute, stop, and take the socket of the new one with it."""
    folder = tmp_path_factory.mktemp("gone")
    folder.chmod(0o755)
    at = postgres.ensure_running(folder)
    old = int(at.pid_file.read_text().split()[0])
    shutil.rmtree(at.data.parent)
    try:
        postgres.ensure_running(folder)
        assert not Path(f"/proc/{old}").exists()
        assert postgres.is_running(at)
    finally:
        postgres.stop(folder)


def test_server_when_the_stale_pid_belongs_to_another_process_then_it_starts(home: Path) -> None:
    at = postgres.ensure_running(home)
    text = at.pid_file.read_text()
    _kill(home)
    at.pid_file.write_text(text.replace(text.split()[0], str(os.getpid()), 1))
    assert postgres.is_running(postgres.ensure_running(home))


@pytest.mark.parametrize(
    "statement", ["TRUNCATE owned", "DROP TABLE owned", "ALTER TABLE owned DISABLE TRIGGER ALL", "CREATE TABLE t ()"]
)
def test_application_role_when_it_changes_the_schema_then_it_is_refused(home: Path, statement: str) -> None:
    at = postgres.ensure_running(home)
    with psycopg.connect(at.url(postgres.OWNER)) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS owned (n int)")
    with psycopg.connect(at.url(postgres.APP)) as connection:
        connection.execute("INSERT INTO owned VALUES (1)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)


def test_server_when_stopped_then_it_no_longer_answers(home: Path) -> None:
    at = postgres.ensure_running(home)
    postgres.stop(home)
    assert not postgres.is_running(at)
