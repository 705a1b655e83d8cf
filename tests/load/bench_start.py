"""The second `make run`: time to the first page, and nothing left behind after Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tests.load.measure import Row, at_most

ROOT = Path(__file__).resolve().parents[2]
PORT, BUDGET_SECONDS = 8013, 15.0


def run(scale: int) -> list[Row]:
    """This function will start everything twice, time the second start, stop it and count what is left."""
    environment = {k: v for k, v in os.environ.items() if k not in ("DJANGO_SETTINGS_MODULE", "DATABASE_OWNER_URL")}
    environment |= {"PORT": str(PORT), "PYTHONUNBUFFERED": "1"}
    _start_and_stop(environment)
    took, left = _start_and_stop(environment)
    return [
        at_most("second start of make run: first page", took, "s", BUDGET_SECONDS),
        at_most("processes left after Ctrl-C", left, "", 0),
    ]


def _start_and_stop(environment: dict[str, str]) -> tuple[float, int]:
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "config.run"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        while True:
            if process.poll() is not None:
                raise SystemExit("make run ended by itself; is another one running from this folder?")
            try:
                with urlopen(f"http://127.0.0.1:{PORT}/accounts/login/", timeout=5) as answer:
                    if answer.status == 200:
                        break
            except (URLError, OSError):
                time.sleep(0.05)
            if time.monotonic() - started > 300:
                raise SystemExit("make run did not answer within five minutes")
        took = time.monotonic() - started
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
    return took, _left_over()


def _left_over() -> int:
    mark = f"SEKISHO_RUN={ROOT / 'var' / 'run'}".encode()
    count = 0
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                count += mark in (folder / "environ").read_bytes()
            except OSError:
                continue
    return count
