"""A real worker on the queue inside PostgreSQL: a task outlives the process that was killed over it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from django.db import connection

ROOT = Path(__file__).resolve().parents[2]
SEND = "from celery import current_app; current_app.send_task('common.seal_journal')"


@pytest.fixture
def address(standing: None, db: None) -> str:
    """The test database as DATABASE_URL, for other processes: they see what is committed, the standing cast."""
    c = connection.settings_dict
    return f"postgresql://{c['USER']}:{quote(c['PASSWORD'])}@/{c['NAME']}?host={quote(c['HOST'], safe='/')}" + (
        f"&port={c['PORT']}" if c["PORT"] else ""
    )


@pytest.fixture
def environment(address: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "config.settings.dev",
        "DATABASE_URL": address,
        "DATABASE_OWNER_URL": address,
    }


@pytest.fixture
def server(address: str) -> Iterator[psycopg.Connection]:
    """A session of its own; the seals that the worker makes are taken away again."""
    with psycopg.connect(address, autocommit=True) as session:
        session.execute("TRUNCATE common_journalseal")
        yield session
        session.execute("TRUNCATE common_journalseal")


@pytest.fixture
def worker(environment: dict[str, str], tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    celery = [str(Path(sys.executable).parent / "celery"), "-A", "config", "worker", "--concurrency", "1"]
    with (tmp_path / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            [*celery, "--without-gossip", "--without-mingle"],
            cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    yield process
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _wait_until(condition: Callable[[], bool], seconds: float = 40) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.1)
    return False


def _number(server: psycopg.Connection, question: str) -> int:
    row = server.execute(question).fetchone()
    assert row
    return int(row[0])


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_task_when_its_process_is_killed_then_it_is_done_all_the_same(
    server: psycopg.Connection, worker: subprocess.Popen[bytes], environment: dict[str, str]
) -> None:
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'common_journalseal'::regclass"
    entries = _number(server, "SELECT count(*) FROM common_journalentry")
    assert entries > 0
    with server.transaction():
        server.execute("LOCK TABLE common_journalseal IN ACCESS EXCLUSIVE MODE")
        subprocess.run([sys.executable, "manage.py", "shell", "-v0", "-c", SEND], cwd=ROOT, env=environment, check=True)
        assert _wait_until(lambda: _number(server, waiting) == 1)
        (victim,) = _children(worker.pid)
        os.kill(victim, signal.SIGKILL)
        assert _wait_until(lambda: victim not in _children(worker.pid))
    assert _wait_until(lambda: _number(server, "SELECT count(*) FROM common_journalseal") == entries)
    assert worker.poll() is None
