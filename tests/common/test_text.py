import json
import subprocess
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.text import clean, clean_line, count_characters, fold, half_width

CHROMIUM = "/usr/bin/chromium"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("量子", 2),
        ("𠮷野", 2),
        ("が", 1),
        ("か\u3099", 1),
        ("a\r\nb\rc\nd", 7),
        ("\r\n\r\n", 2),
        ("葛\U000e0100", 2),
        ("👨\u200d👩", 3),
        ("  ", 2),
        ("ﾊﾟ", 2),
    ],
)
def test_count_characters_when_counted_then_by_the_one_rule(text, count):
    assert count_characters(text) == count


@given(st.text(), st.text())
def test_count_characters_when_line_breaks_differ_then_the_same_count(before, after):
    assert (
        count_characters(f"{before}x\r\ny{after}")
        == count_characters(f"{before}x\ny{after}")
        == count_characters(f"{before}x\ry{after}")
    )


@given(st.text())
def test_count_characters_when_composed_or_not_then_the_same_count(text):
    assert count_characters(unicodedata.normalize("NFD", text)) == count_characters(unicodedata.normalize("NFC", text))


@given(st.text())
def test_clean_when_done_twice_then_nothing_more_to_do(text):
    once = clean(text)
    assert clean(once) == once
    assert "\r" not in once
    assert count_characters(once) <= count_characters(text)
    once.encode("utf-8")


@pytest.mark.parametrize(
    "unwanted",
    [*"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c", *"\ufeff\x00\x07\x1b\x7f\x85\ud83d"],
)
def test_clean_when_something_invisible_acts_then_it_goes(unwanted):
    assert clean(f"報告{unwanted}書") == "報告書"


@pytest.mark.parametrize("kept", ["塚", "神", "髙", "﨑", "𠮷", "葛\U000e0100", "㈱", "①", "～", "a\tb\nc"])
def test_clean_when_a_name_has_its_own_form_then_it_is_kept(kept):
    assert clean(kept) == kept


def test_clean_when_decomposed_then_composed():
    assert clean("か\u3099く\u3099") == "がぐ"


def test_clean_line_when_several_lines_then_one():
    assert clean_line("  量子\r\n\t計測　と  センシング ") == "量子 計測 と センシング"


def test_half_width_when_full_width_then_ascii_and_only_that():
    assert half_width("１２，３４５．６（Ａ－ｚ）　①½") == "12,345.6(A-z) ①½"


@pytest.mark.parametrize(
    ("text", "folded"), [("ﾚｰｻﾞｰ", "レーザー"), ("ＴＲＬ６", "trl6"), ("Q-LEAP", "q-leap"), ("㈱", "(株)")]
)
def test_fold_when_written_differently_then_the_same(text, folded):
    assert fold(text) == folded


def test_count_characters_when_the_browser_counts_then_the_same(tmp_path):
    samples = ["", "量子", "𠮷野", "か\u3099", "a\r\nb\rc\nd", "葛\U000e0100", "👨\u200d👩", "ﾊﾟ", "e\u0301", "塚"]
    rule = "[...s.normalize('NFC').replace(/\\r\\n?/g, '\\n')].length"
    script = f"document.body.textContent = {json.dumps(samples)}.map(s => {rule}).join()"
    page = tmp_path / "count.html"
    page.write_text(f"<meta charset=utf-8><body><script>{script}</script>")
    shown = subprocess.run(
        [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            f"--user-data-dir={tmp_path}/profile",
            "--dump-dom",
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    assert f">{','.join(str(count_characters(sample)) for sample in samples)}<" in shown
