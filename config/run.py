"""`make run`: prepares the database, then keeps the web server, the worker and the timetable running together.

One of them ending ends all of them, with the reason; Ctrl-C ends all of them cleanly. The children also get a signal
from the kernel when this process is killed, so that nothing is left behind.
"""

from __future__ import annotations

import ctypes
import fcntl
import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from config import postgres

BASE_DIR = Path(__file__).resolve().parent.parent
RUN_DIR = BASE_DIR / "var" / "run"
HOST, PORT = "127.0.0.1", int(os.environ.get("PORT", "8000"))
PORTFOLIO = BASE_DIR / "programs" / "data" / "portfolio_fy2022.json"
PR_SET_PDEATHSIG = 1
GRACE_SECONDS = 12
SHOWN_SIGN_INS = ("staff1", "pd1", "pi1", "hq1", "auditor1")


class Stop(Exception):
    """The reason why everything ends."""


@dataclass
class Child:
    """A process that belongs to this run."""

    name: str
    process: subprocess.Popen[bytes]


def _die_with_parent() -> None:
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _manage(*arguments: str) -> None:
    result = subprocess.run([sys.executable, "manage.py", *arguments], cwd=BASE_DIR, check=False)
    if result.returncode:
        raise Stop(f"`manage.py {' '.join(arguments)}` failed; the message is above.")


def _database_identity() -> str:
    """What tells one database from another: its address, and for the embedded one when it was initialised."""
    if os.environ.get("DATABASE_URL"):
        return os.environ["DATABASE_URL"]
    return str((postgres.ensure_running().data / "PG_VERSION").stat().st_mtime_ns)


def _once(stamp: str, files: list[Path], *arguments: str) -> None:
    """Runs a management command unless it ran for the same database and the same files already."""
    digest = hashlib.sha256(_database_identity().encode())
    for path in sorted(files):
        digest.update(path.read_bytes())
    marker = RUN_DIR / stamp
    if marker.exists() and marker.read_text() == digest.hexdigest():
        return
    _manage(*arguments)
    marker.write_text(digest.hexdigest())


def prepare() -> None:
    """This function will bring the database up to date, load the portfolio and, the first time, play the cycle."""
    _once("migrated", [*BASE_DIR.glob("*/migrations/*.py"), BASE_DIR / "requirements.txt"], "migrate", "-v0")
    _once("portfolio", [PORTFOLIO], "load_portfolio")
    _once("cycle", [], "play_cycle", "--out", str(BASE_DIR / "var" / "out"))


def commands() -> dict[str, list[str]]:
    """This function will return the command lines of the processes that make up a running Sekisho."""
    bin_dir = Path(sys.executable).parent
    celery = [str(bin_dir / "celery"), "-A", "config"]
    return {
        "web": [
            str(bin_dir / "granian"), "--interface", "wsgi", "--host", HOST, "--port", str(PORT), "--workers", "2",
            "--blocking-threads", "4", "--no-ws", "--log-level", "warning", "config.wsgi:application",
        ],
        "worker": [
            *celery, "worker", "--concurrency", "2", "--loglevel", "warning", "--without-gossip", "--without-mingle",
        ],
        "beat": [*celery, "beat", "--loglevel", "warning", "--schedule", str(RUN_DIR / "beat"), "--pidfile", ""],
    }  # fmt: skip


def _start(name: str, command: list[str]) -> Child:
    log = (RUN_DIR / f"{name}.log").open("ab")
    process = subprocess.Popen(
        command, cwd=BASE_DIR, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        preexec_fn=_die_with_parent,
    )  # fmt: skip
    return Child(name, process)


def _port_is_free() -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return probe.connect_ex((HOST, PORT)) != 0


def _wait_for_web(children: list[Child]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        _check(children)
        try:
            with urllib.request.urlopen(f"http://{HOST}:{PORT}/healthz", timeout=30):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise Stop(f"The web server did not answer within 60 seconds; see {RUN_DIR / 'web.log'}.")


def _check(children: list[Child]) -> None:
    for child in children:
        code = child.process.poll()
        if code is not None:
            raise Stop(f"The {child.name} process ended (exit {code}); see {RUN_DIR / (child.name + '.log')}.")


def _end(children: list[Child]) -> None:
    """Asks each process to finish (it ends its own children), then ends what is left of its group."""
    for child in children:
        child.process.terminate()
    _wait_until_gone(children, GRACE_SECONDS)
    for child in children:
        if _group_lives(child):
            os.killpg(child.process.pid, signal.SIGKILL)
    _wait_until_gone(children, 5)


def _wait_until_gone(children: list[Child], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and any(_group_lives(child) for child in children):
        time.sleep(0.05)


def _group_lives(child: Child) -> bool:
    child.process.poll()
    try:
        os.killpg(child.process.pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _clean_up_after_a_killed_run() -> None:
    """Ends what a killed supervisor left: its children are in `children`, by process group."""
    note = RUN_DIR / "children"
    for line in note.read_text().splitlines() if note.exists() else []:
        pid = int(line)
        try:
            environment = Path(f"/proc/{pid}/environ").read_bytes()
        except OSError:
            continue
        if f"SEKISHO_RUN={RUN_DIR}".encode() in environment:
            os.killpg(pid, signal.SIGKILL)
    note.unlink(missing_ok=True)


def _announce(seconds: float) -> None:
    base = f"http://{HOST}:{PORT}"
    print(
        f"""
Sekisho is running ({seconds:.1f} s). Ctrl-C stops everything.

  Portal       {base}/
  Admin        {base}/admin/   (as staff1)
  API          {base}/api/v1/openapi.json
  PDFs         {BASE_DIR / "var" / "out"}
  Mails        {BASE_DIR / "var" / "mail"}
  Logs         {RUN_DIR}

  Signing in as a sample person (each address works once, for a day):""",
        flush=True,
    )
    _print_sign_ins()


def _print_sign_ins() -> None:
    emails = [f"{name}@sample.example" for name in SHOWN_SIGN_INS]
    command = [sys.executable, "manage.py", "sign_in_link", *emails]
    links = subprocess.run(command, cwd=BASE_DIR, capture_output=True, text=True, check=False)
    for email, link in zip(emails, links.stdout.splitlines(), strict=False):
        print(f"    {email:<24} {link}")
    if links.returncode:
        print(f"    {links.stderr.strip().splitlines()[-1]}", file=sys.stderr)
    print("    others: .venv/bin/python manage.py sign_in_link NAME@sample.example  (names in README.md)\n", flush=True)


def main() -> int:
    """This function will run everything until Ctrl-C or until one of the processes ends."""
    started = time.monotonic()
    RUN_DIR.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
    os.environ.setdefault("SITE_URL", f"http://{HOST}:{PORT}")
    os.environ["SEKISHO_RUN"] = str(RUN_DIR)
    with (RUN_DIR / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Sekisho is running already from this folder. Stop it with Ctrl-C first.", file=sys.stderr)
            return 1
        os.set_inheritable(lock.fileno(), False)
        return _run(started)


def _run(started: float) -> int:
    def on_signal(number: int, frame: FrameType | None) -> None:
        raise Stop("")

    signal.signal(signal.SIGINT, on_signal)
    signal.signal(signal.SIGTERM, on_signal)
    children: list[Child] = []
    code = 0
    try:
        _clean_up_after_a_killed_run()
        if not _port_is_free():
            raise Stop(f"Port {PORT} is in use by another program. Stop it, or choose another: PORT=8001 make run")
        prepare()
        for name, command in commands().items():
            children.append(_start(name, command))
            (RUN_DIR / "children").write_text("\n".join(str(child.process.pid) for child in children))
        _wait_for_web(children)
        _announce(time.monotonic() - started)
        while True:
            _check(children)
            time.sleep(0.5)
    except Stop as reason:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if str(reason):
            print(f"\n{reason}", file=sys.stderr)
            code = 1
        print("\nStopping ...", flush=True)
    finally:
        _end(children)
        (RUN_DIR / "children").unlink(missing_ok=True)
        if not os.environ.get("DATABASE_URL"):
            postgres.stop()
        print("Stopped.", flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
