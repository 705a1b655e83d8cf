"""Several processes as one: an end, a signal or a kill leaves nothing behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DRIVER = """
import json, sys
from pathlib import Path
from config.supervisor import Stop, stop_on_signals, supervise
stop_on_signals()
try:
    supervise(Path(sys.argv[1]), json.loads(sys.argv[2]), lambda check: print("started", flush=True))
except Stop as stop:
    print(stop, flush=True)
"""
# Each starts a child of its own, as the web server and the worker do.
STAYS = '["sh", "-c", "sleep 600 & wait"]'
STUBBORN = '["sh", "-c", "trap true TERM; sleep 600 & wait; wait"]'


@pytest.fixture
def run_dir(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    for pid in _ours(tmp_path):
        os.kill(pid, signal.SIGKILL)


def _ours(run_dir: Path) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"SEKISHO_RUN={run_dir}".encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def _supervisor(run_dir: Path, commands: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(run_dir), commands],
        cwd=ROOT, env={"PATH": os.environ["PATH"]}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout
    assert process.stdout.readline() == "started\n"
    return process


def _wait_until_none(run_dir: Path, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while _ours(run_dir) and time.monotonic() < deadline:
        time.sleep(0.05)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_supervisor_when_asked_to_stop_then_nothing_is_left(run_dir: Path, sent: int) -> None:
    process = _supervisor(run_dir, f'{{"web": {STAYS}, "worker": {STAYS}}}')
    deadline = time.monotonic() + 10
    while len(_ours(run_dir)) < 4 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(_ours(run_dir)) == 4
    process.send_signal(sent)
    output, _ = process.communicate(timeout=30)
    assert output == "\n"
    assert _ours(run_dir) == []


def test_supervisor_when_one_process_crashes_then_all_end_with_the_reason(run_dir: Path) -> None:
    process = _supervisor(run_dir, f'{{"web": ["sh", "-c", "sleep 0.3; kill -SEGV $$"], "worker": {STAYS}}}')
    output, _ = process.communicate(timeout=30)
    assert output == f"The web process was ended by signal 11; see {run_dir / 'web.log'}.\n"
    assert _ours(run_dir) == []


def test_supervisor_when_killed_then_the_children_end_too(run_dir: Path) -> None:
    process = _supervisor(run_dir, '{"web": ["sleep", "600"], "worker": ["sleep", "600"]}')
    assert len(_ours(run_dir)) == 2
    process.kill()
    process.communicate(timeout=10)
    _wait_until_none(run_dir)
    assert _ours(run_dir) == []


def test_supervisor_when_a_killed_run_left_processes_then_the_next_ends_them(run_dir: Path) -> None:
    first = _supervisor(run_dir, f'{{"web": {STUBBORN}}}')
    first.kill()
    first.communicate(timeout=10)
    time.sleep(0.5)
    left = _ours(run_dir)
    assert left
    second = _supervisor(run_dir, '{"web": ["sleep", "600"]}')
    assert not set(left) & set(_ours(run_dir))
    second.send_signal(signal.SIGTERM)
    second.communicate(timeout=30)
    assert _ours(run_dir) == []
