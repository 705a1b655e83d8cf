"""`make run`: prepares the database, then keeps the web server, the worker and the timetable running together.

One of them ending ends all of them, with the reason; Ctrl-C ends all of them cleanly.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from config import postgres
from config.supervisor import Stop, clean_up_after_a_killed_run, ignore_signals, stop_on_signals, supervise

BASE_DIR = Path(__file__).resolve().parent.parent
RUN_DIR = BASE_DIR / "var" / "run"
HOST, PORT = "127.0.0.1", int(os.environ.get("PORT", "8000"))
PORTFOLIO = BASE_DIR / "programs" / "data" / "portfolio_fy2022.json"
SHOWN_SIGN_INS = ("staff1", "pd1", "pi1", "hq1", "auditor1")


def _manage(*arguments: str) -> None:
    print(f"  manage.py {arguments[0]} ...", flush=True)
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
    _once("portfolio", [PORTFOLIO], "load_portfolio", "-v0")
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


def _port_is_free() -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, PORT)) != 0


def _wait_for_the_first_page(check: Callable[[], None]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        check()
        try:
            with urllib.request.urlopen(f"http://{HOST}:{PORT}/accounts/login/", timeout=30):
                return
        except urllib.error.HTTPError as error:
            raise Stop(f"The first page answers {error.code}; see {RUN_DIR / 'web.log'}.") from error
        except OSError:
            time.sleep(0.1)
    raise Stop(f"The web server did not answer within 60 seconds; see {RUN_DIR / 'web.log'}.")


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
    emails = [f"{name}@sample.example" for name in SHOWN_SIGN_INS]
    command = [sys.executable, "manage.py", "sign_in_link", *emails]
    links = subprocess.run(command, cwd=BASE_DIR, capture_output=True, text=True, check=False)
    for email, link in zip(emails, links.stdout.splitlines(), strict=False):
        print(f"    {email:<24} {link}")
    if links.returncode:
        print(f"    {(links.stderr.strip().splitlines() or ['no sign-in addresses'])[-1]}", file=sys.stderr)
    print("    others: .venv/bin/python manage.py sign_in_link NAME@sample.example  (names in README.md)\n", flush=True)


def main() -> int:
    """This function will run everything until Ctrl-C or until one of the processes ends."""
    started = time.monotonic()
    RUN_DIR.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
    os.environ.setdefault("SITE_URL", f"http://{HOST}:{PORT}")
    with (RUN_DIR / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Sekisho is running already from this folder. Stop it with Ctrl-C first.", file=sys.stderr)
            return 1
        return _run(started)


def _run(started: float) -> int:
    def when_started(check: Callable[[], None]) -> None:
        _wait_for_the_first_page(check)
        _announce(time.monotonic() - started)

    stop_on_signals()
    reason = ""
    try:
        clean_up_after_a_killed_run(RUN_DIR)
        if not _port_is_free():
            raise Stop(f"Port {PORT} is in use by another program. Stop it, or choose another: PORT=8001 make run")
        prepare()
        supervise(RUN_DIR, commands(), when_started)
    except Stop as stop:
        reason = str(stop)
    except postgres.PostgresError as error:
        reason = str(error)
    finally:
        ignore_signals()
        if not os.environ.get("DATABASE_URL"):
            postgres.stop()
    print(f"\n{reason}" if reason else "\nStopped.", file=sys.stderr if reason else sys.stdout, flush=True)
    return 1 if reason else 0


if __name__ == "__main__":
    sys.exit(main())
