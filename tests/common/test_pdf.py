"""Documents are written for real and read back: fonts, pages, tags, words, bytes, and one page as a picture."""

import io
import subprocess
from datetime import date

import pikepdf
import pytest
from PIL import Image
from pypdf import PdfReader

from common import pdf
from common.canonical import content_hash
from common.charts import trl_staircase
from common.child import Child
from common.pdf import RenderingFailed, has_japanese_font, render_pdf

REPORT = """{% extends "pdf/base.html" %}{% block content %}
<h1>{{ title }}</h1>
<h2>概要</h2>
<p>{{ text }} <time>2026年6月12日(金)</time></p>
<h2>収支</h2>
<table><caption>費目</caption>
<thead><tr><th scope="col">項目</th><th scope="col">金額(百万円)</th></tr></thead>
<tbody>{% for name in rows %}
<tr><th scope="row">{{ name }}</th><td class="number">{{ forloop.counter }}</td></tr>
{% endfor %}</tbody>
</table>
<figure>{{ chart }}<figcaption>図1</figcaption></figure>
{{ extra }}
{% endblock %}"""
NARROW = """{% extends "pdf/base.html" %}{% block content %}
{% for width in widths %}<h2>幅</h2><p style="width: {{ width }}pt; font-size: 10pt">{{ text }}</p>{% endfor %}
{% endblock %}"""
#: 𠮷 is in no BIZ font; 髙 﨑 ㈱ ① ～ are missing from reduced ones.
RARE = "𠮷野・髙橋・山﨑・㈱量子①～"
TARGET = trl_staircase([], [], [], 6, [], {level: f"水準{level}" for level in range(1, 10)})


class Safe(str):
    def __html__(self) -> str:
        return self


@pytest.fixture(autouse=True)
def _templates(settings):
    project = settings.TEMPLATES[0]["DIRS"]
    own = {"report.html": REPORT, "narrow.html": NARROW}
    loaders = [
        ("django.template.loaders.locmem.Loader", own),
        ("django.template.loaders.filesystem.Loader", project),
    ]
    settings.TEMPLATES = [
        {"BACKEND": "django.template.backends.django.DjangoTemplates", "OPTIONS": {"loaders": loaders}}
    ]


def document(text=RARE, rows=60, extra="", language="ja", **context) -> bytes:
    facts = {"text": text, "rows": [f"項目{n}" for n in range(rows)], "chart": TARGET, "extra": Safe(extra), **context}
    return render_pdf(
        "report.html",
        facts,
        title="令和4(2022)年度 進捗報告書",
        language=language,
        fingerprint=content_hash(text),
        case_number="RPT-7K3M9QX",
    )


def elements(read: pikepdf.Pdf, kind: str) -> list[pikepdf.Dictionary]:
    """All structure elements of a kind, in document order."""
    found: list[pikepdf.Dictionary] = []

    def walk(kids) -> None:
        for kid in kids if isinstance(kids, pikepdf.Array) else [kids]:
            if isinstance(kid, pikepdf.Dictionary) and "/S" in kid:
                if str(kid.S) == f"/{kind}":
                    found.append(kid)
                if "/K" in kid:
                    walk(kid.K)

    walk(read.Root.StructTreeRoot.K)
    return found


def test_render_pdf_when_read_back_then_every_font_is_embedded_as_a_subset(tmp_path):
    path = tmp_path / "report.pdf"
    path.write_bytes(document())
    lines = subprocess.run(["pdffonts", path], capture_output=True, text=True, check=True).stdout.splitlines()[2:]
    fonts = {line.split()[0].partition("+")[2]: line.split()[-5:-2] for line in lines}
    assert set(fonts) == {"BIZ-UDGothic", "BIZ-UDGothic-Bold", "Noto-Sans-CJK-JP"}
    assert all(flags == ["yes", "yes", "yes"] for flags in fonts.values())


def test_render_pdf_when_read_back_then_titled_tagged_in_its_language_and_archivable():
    content = document()
    with pikepdf.open(io.BytesIO(content)) as read:
        assert str(read.docinfo.Title) == "令和4(2022)年度 進捗報告書"
        assert (str(read.Root.Lang), bool(read.Root.MarkInfo.Marked)) == ("ja", True)
        assert bool(read.Root.ViewerPreferences.DisplayDocTitle)
        assert "/EmbeddedFiles" not in read.Root.get("/Names", {})
        assert read.Root.OutputIntents[0].S == "/GTS_PDFA1"
        with read.open_metadata() as metadata:
            assert metadata.pdfa_status == "3A"
            assert metadata["dc:title"] == "令和4(2022)年度 進捗報告書"
        assert not {"/CreationDate", "/ModDate"} & set(read.docinfo.keys())
        assert [str(item.title) for item in read.open_outline().root[0].children] == ["概要", "収支"]
        assert len(elements(read, "H1")) == 1
        assert len(elements(read, "H2")) == 2
        (figure,) = elements(read, "Figure")
        assert str(figure.Alt) == TARGET.heading


def test_render_pdf_when_in_english_then_marked_english():
    with pikepdf.open(io.BytesIO(document(language="en"))) as read:
        assert str(read.Root.Lang) == "en"


def test_render_pdf_when_a_table_runs_over_pages_then_its_head_comes_again_and_headers_have_a_scope():
    content = document(rows=60)
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(content)).pages]
    assert len(pages) == 3
    assert [page.count("金額(百万円)") for page in pages] == [1, 1, 1]
    with pikepdf.open(io.BytesIO(content)) as read:
        scopes = [str(header.A.Scope) for header in elements(read, "TH")]
        assert scopes.count("/Column") == 2 * 3
        assert scopes.count("/Row") == 60
        assert all(len(cell.A.Headers) == 2 for cell in elements(read, "TD"))


def test_render_pdf_when_read_back_then_each_page_has_head_number_and_hash():
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(document())).pages]
    assert RARE in pages[0]
    for number, page in enumerate(pages, start=1):
        assert "RPT-7K3M9QX" in page
        assert f"SHA-256 {content_hash(RARE)}" in page
        assert f"{number} / {len(pages)}" in page
        assert "SAMPLE" not in page


def test_render_pdf_when_sample_then_every_page_says_so():
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(document(is_sample=True))).pages]
    assert len(pages) == 3
    assert all("SAMPLE 見本" in page for page in pages)


def test_render_pdf_when_the_input_is_the_same_then_the_same_bytes_also_from_another_process():
    first = document()
    assert document() == first
    pdf._child.close()
    assert document() == first
    assert document(text="別の本文") != first


@pytest.mark.parametrize(
    "extra",
    [
        '<img alt="x" src="file:///etc/passwd">',
        '<img alt="x" src="http://127.0.0.1:9/x.png">',
        '<img alt="x" src="data:image/png;base64,iVBORw0KGgo=">',
        '<img alt="x" src="/etc/passwd">',
        '<link rel="attachment" href="file:///etc/passwd">',
        '<link rel="stylesheet" href="file:///etc/passwd">',
        '<style>@import "file:///etc/passwd";</style>',
        '<style>@font-face { font-family: x; src: url(file:///etc/passwd) } p { font-family: x }</style>',
        '<style>p { background: url("file:///etc/passwd") }</style>',
        '<svg xmlns="http://www.w3.org/2000/svg"><title>x</title><image href="file:///etc/passwd"/></svg>',
        '<object data="file:///etc/passwd"></object>',
    ],
)  # fmt: skip
def test_render_pdf_when_it_names_a_file_or_an_address_then_refused(extra):
    reasons = "a document reads no file and no address|Relative URI reference|Failed to render SVG image"
    with pytest.raises(RenderingFailed, match=reasons):
        document(rows=1, extra=extra)


def test_render_pdf_when_text_looks_like_markup_then_it_is_text():
    text = '<img src="file:///etc/passwd"> & <b>'
    assert text in PdfReader(io.BytesIO(document(text=text, rows=1))).pages[0].extract_text()


def test_render_pdf_when_a_picture_has_no_description_then_refused():
    with pytest.raises(RenderingFailed, match="a picture has no description"):
        document(rows=1, extra='<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"></svg>')


def test_render_pdf_when_too_long_for_its_time_then_ended_with_a_reason(monkeypatch):
    hurried = Child("common.pdf:typeset", seconds=2, megabytes=512)
    monkeypatch.setattr(pdf, "_child", hurried)
    try:
        with pytest.raises(RenderingFailed, match="not done after 2 seconds"):
            document(rows=20_000)
    finally:
        hurried.close()


def test_render_pdf_when_no_japanese_font_is_installed_then_says_which_to_install(monkeypatch, tmp_path):
    bare = tmp_path / "fonts.conf"
    bare.write_text(
        f"<?xml version='1.0'?><fontconfig><dir>{tmp_path}</dir><cachedir>{tmp_path}</cachedir></fontconfig>"
    )
    monkeypatch.setenv("FONTCONFIG_FILE", str(bare))
    without = Child("common.pdf:typeset", seconds=20, megabytes=512)
    monkeypatch.setattr(pdf, "_child", without)
    try:
        with pytest.raises(RenderingFailed, match="apt-get install fonts-morisawa-bizud-gothic fonts-noto-cjk"):
            document(rows=1)
    finally:
        without.close()


def test_has_japanese_font_when_asked_then_as_fontconfig_lists_them():
    listed = subprocess.run(["fc-list", ":lang=ja"], capture_output=True, text=True, check=True).stdout
    assert has_japanese_font() == bool(listed.strip())


def test_print_styles_when_columns_are_narrow_then_no_line_begins_or_ends_against_kinsoku(tmp_path):
    text = "研究では、チェック（試験）、データー。「きゃっか」と、ゲート・ステップっ。" * 4
    content = render_pdf(
        "narrow.html",
        {"text": text, "widths": [60, 71, 82, 93, 104, 115]},
        title="禁則",
        language="ja",
        fingerprint=content_hash(text),
    )
    path = tmp_path / "narrow.pdf"
    path.write_bytes(content)
    read = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, text=True, check=True).stdout
    lines = [line.strip() for line in read.splitlines() if line.strip() and "SHA-256" not in line]
    assert len(lines) > 60
    assert [line for line in lines if line[0] in "、。）」・ーっゃェッ"] == []
    assert [line for line in lines if line[-1] in "（「"] == []


def test_print_styles_when_a_date_meets_the_edge_then_it_stays_whole():
    for spare in range(20):
        page = PdfReader(io.BytesIO(document(text="量" * (30 + spare), rows=1))).pages[0].extract_text()
        assert "2026年6月12日(金)" in page


def test_render_pdf_when_looked_at_then_ink_where_words_and_picture_are(tmp_path):
    path = tmp_path / "report.pdf"
    path.write_bytes(document(rows=3))
    subprocess.run(["pdftoppm", "-r", "60", "-gray", "-png", path, tmp_path / "page"], check=True)
    (picture,) = tmp_path.glob("page*.png")
    with Image.open(picture) as page:
        width, height = page.size
        bands = [page.crop((0, y, width, y + 50)).tobytes() for y in range(0, 700, 50)]
        margin = page.crop((0, 0, 40, height)).tobytes()
    dark = [sum(pixel < 128 for pixel in band) for band in bands]
    assert all(count > 100 for count in dark[1:6])
    assert min(margin) > 250


def test_render_pdf_when_a_date_of_the_context_is_printed_then_by_the_documents_language():
    content = document(rows=1, text=date(2022, 4, 1))
    assert "2022年4月1日" in PdfReader(io.BytesIO(content)).pages[0].extract_text()
