"""`make screens`: a picture of every page at 360 and 1280 px into `var/screens/`, and of every PDF page.

Takes the data of `make run` (it starts the web server itself, on a port of its own).
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "var" / "screens"
PORT = 8011
WIDTHS = (1280, 360)


def _server() -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [str(Path(sys.executable).parent / "granian"), "--interface", "wsgi", "--port", str(PORT), "--workers", "1",
         "--log-level", "error", "config.wsgi:application"],
        cwd=ROOT, env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings.dev"},
    )  # fmt: skip
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", PORT)) == 0:
                return process
        time.sleep(0.1)
    process.terminate()
    raise SystemExit("The web server did not start.")


def _link(name: str) -> str:
    result = subprocess.run(
        [sys.executable, "manage.py", "sign_in_link", f"{name}@sample.example"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return "/sign-in/" + result.stdout.strip().rsplit("/sign-in/", 1)[1]


def pictures_of_pages() -> int:
    """This function will open every page as the person it is for and keep its picture; returns how many."""
    from playwright.sync_api import sync_playwright

    from tests.browser.conftest import CHROMIUM, FLAGS
    from tests.browser.pages import PAGES

    base = f"http://127.0.0.1:{PORT}"
    taken = 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for who in sorted({who for _, who, _ in PAGES}):
            context = browser.new_context(locale="ja-JP")
            page = context.new_page()
            if who:
                page.goto(base + _link(who))
                page.click("main button.primary")
            for name, _, path in (p for p in PAGES if p[1] == who):
                for width in WIDTHS:
                    page.set_viewport_size({"width": width, "height": 900})
                    page.goto(base + path)
                    page.screenshot(path=OUT / f"{name}-{width}.png", full_page=True)
                    taken += 1
            context.close()
        browser.close()
    return taken


def pictures_of_documents() -> int:
    """This function will draw every page of every PDF under `var/out`; returns how many files."""
    documents = sorted((ROOT / "var" / "out").rglob("*.pdf"))
    for document in documents:
        subprocess.run(["pdftoppm", "-r", "70", "-png", str(document), str(OUT / document.stem)], check=True)
    return len(documents)


def main() -> None:
    """This function will take all pictures."""
    OUT.mkdir(parents=True, exist_ok=True)
    server = _server()
    try:
        pages = pictures_of_pages()
    finally:
        server.terminate()
        server.wait(15)
    print(f"{pages} pictures of pages and the pages of {pictures_of_documents()} documents are in {OUT}")


if __name__ == "__main__":
    main()
