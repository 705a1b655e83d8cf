"""The Japanese catalogue is complete, compiled and keeps every placeholder."""

import gettext
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = ROOT / "locale" / "ja" / "LC_MESSAGES"
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]")


def _entries() -> list[tuple[str, str]]:
    """Message and Japanese; a message with a context stands as "context\x04message", as in the compiled catalogue."""
    text = (CATALOGUE / "django.po").read_text()
    pairs = []
    for block in text.split("\n\n")[1:]:
        if "#~" in block:
            continue
        parts = {"msgctxt": "", "msgid": "", "msgstr": ""}
        current = ""
        for line in block.splitlines():
            match = re.match(r'(msgctxt|msgid|msgstr) "(.*)"$', line)
            if match:
                current = match[1]
                parts[current] = match[2]
            elif line.startswith('"') and current:
                parts[current] += line[1:-1]
        if parts["msgid"]:
            context = parts["msgctxt"] + "\4" if parts["msgctxt"] else ""
            pairs.append((context + parts["msgid"], parts["msgstr"]))
    return pairs


def test_catalogue_when_read_then_no_message_is_without_japanese() -> None:
    entries = _entries()
    assert len(entries) > 300
    assert [source for source, japanese in entries if not japanese] == []


def test_catalogue_when_read_then_placeholders_are_kept() -> None:
    wrong = [s for s, j in _entries() if sorted(PLACEHOLDER.findall(s)) != sorted(PLACEHOLDER.findall(j))]
    assert wrong == []


def test_catalogue_when_compiled_then_it_is_the_same() -> None:
    with (CATALOGUE / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    decode = lambda s: s.replace('\\"', '"').replace("\\n", "\n").replace("\\\\", "\\")  # noqa: E731
    stale = [s for s, j in _entries() if compiled.gettext(decode(s)) != decode(j)]
    assert stale == []


def test_sources_when_read_then_every_message_is_in_the_catalogue() -> None:
    known = {source for source, _ in _entries()}
    missing = set()
    for path in (ROOT / "templates").rglob("*.html"):
        written = re.findall(r'{%\s*trans(?:late)?\s+"([^"]+)"(?:\s+context\s+"([^"]+)")?', path.read_text())
        for found in (f"{context}\4{message}" if context else message for message, context in written):
            if found.replace("%", "%%") not in known and found not in known:
                missing.add((path.name, found))
    assert sorted(missing) == []
