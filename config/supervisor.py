"""Keeps several processes running as one: one ending ends all, with the reason; nothing is left behind.

The children also get a signal from the kernel when this process is killed, and the next run ends whatever outlived it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

BASE_DIR = Path(__file__).resolve().parent.parent
PR_SET_PDEATHSIG = 1
GRACE_SECONDS = 12


class Stop(Exception):
    """The reason why everything ends; empty when a person asked for it."""


@dataclass
class Child:
    """A process that belongs to this run, with its log file."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path


def supervise(
    run_dir: Path, commands: dict[str, list[str]], when_started: Callable[[Callable[[], None]], None]
) -> None:
    """This function will start the commands and keep them running until one ends or a signal comes (raises `Stop`).

    `when_started` is called once with a function that raises `Stop` as soon as a child has ended. When this function is
    left, every child and everything that the children started is gone.
    """
    run_dir.mkdir(parents=True, exist_ok=True)
    clean_up_after_a_killed_run(run_dir)
    children: list[Child] = []
    try:
        for name, command in commands.items():
            children.append(_start(run_dir, name, command))
            _note(run_dir).write_text("\n".join(str(child.process.pid) for child in children))
        when_started(lambda: _check(children))
        while True:
            _check(children)
            time.sleep(0.5)
    finally:
        ignore_signals()
        _end(children)
        _note(run_dir).unlink(missing_ok=True)


def stop_on_signals() -> None:
    """This function will turn Ctrl-C and SIGTERM into `Stop`."""

    def on_signal(number: int, frame: FrameType | None) -> None:
        raise Stop("")

    signal.signal(signal.SIGINT, on_signal)
    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGHUP, on_signal)


def ignore_signals() -> None:
    """This function will let a second Ctrl-C not disturb the stopping."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def clean_up_after_a_killed_run(run_dir: Path) -> None:
    """This function will end the process groups that an earlier, killed run noted down and left."""
    note = _note(run_dir)
    for line in note.read_text().splitlines() if note.exists() else []:
        for pid in _members(int(line)):
            try:
                # The number may belong to a stranger by now; ours carry the name of the folder.
                if _mark(run_dir).encode() in Path(f"/proc/{pid}/environ").read_bytes():
                    os.kill(pid, signal.SIGKILL)
            except (OSError, ProcessLookupError):
                continue
    note.unlink(missing_ok=True)


def _members(group: int) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if os.getpgid(int(folder.name)) == group:
                found.append(int(folder.name))
        except (OSError, ProcessLookupError):
            continue
    return found


def _note(run_dir: Path) -> Path:
    return run_dir / "children"


def _mark(run_dir: Path) -> str:
    return f"SEKISHO_RUN={run_dir}"


def _start(run_dir: Path, name: str, command: list[str]) -> Child:
    path = run_dir / f"{name}.log"
    parent = os.getpid()

    def die_with_parent() -> None:
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    with path.open("ab") as log:
        process = subprocess.Popen(
            command, cwd=BASE_DIR, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            env={**os.environ, "SEKISHO_RUN": str(run_dir)}, preexec_fn=die_with_parent,
        )  # fmt: skip
    return Child(name, process, path)


def _check(children: list[Child]) -> None:
    for child in children:
        code = child.process.poll()
        if code is not None:
            end = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
            raise Stop(f"The {child.name} process {end}; see {child.log}.")


def _end(children: list[Child]) -> None:
    """Asks each process to finish (it ends its own children), then ends what is left of its group."""
    for child in children:
        if child.process.poll() is None:
            child.process.terminate()
    _wait_while(lambda: any(child.process.poll() is None for child in children), GRACE_SECONDS)
    _wait_while(lambda: any(_group_lives(child) for child in children), 1)
    for child in children:
        if _group_lives(child):
            os.killpg(child.process.pid, signal.SIGKILL)
    _wait_while(lambda: any(_group_lives(child) for child in children), 5)


def _wait_while(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and condition():
        time.sleep(0.05)


def _group_lives(child: Child) -> bool:
    child.process.poll()
    try:
        os.killpg(child.process.pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True
