"""HTML template > PDF bytes: the one place that speaks WeasyPrint.

The template is rendered here, with everything the application knows; the typesetting happens in a child process that
opens no file or address a document names, holds no secret, and has at most 20 seconds and 512 MB. The result is tagged,
has the structure of PDF/A-3a, a title, a language, embedded subsets of the system's Japanese fonts, and the same bytes
for the same input.
"""

import ctypes
import ctypes.util
import io
import json
import logging
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from django.template.loader import get_template, render_to_string
from django.utils.translation import override

from common.child import Child, ChildFailed

if TYPE_CHECKING:
    import pikepdf

SECONDS = 20
MEGABYTES = 512
PRINT_STYLES = "pdf/print.css"
SAMPLE_STYLES = "pdf/sample.css"

_child = Child("common.pdf:typeset", seconds=SECONDS, megabytes=MEGABYTES)


class RenderingFailed(Exception):
    """The document could not be typeset; the text is for the operator's log, not for a reader."""


def render_pdf(
    template: str,
    context: Mapping[str, Any],
    *,
    title: str,
    language: str,
    fingerprint: str,
    case_number: str = "",
) -> bytes:
    """This function will render a template that extends `pdf/base.html` and return the finished PDF.

    `fingerprint` is the content hash of the document's data (`common.canonical.content_hash`): it stands in the footer.
    `context["is_sample"]` puts the watermark on every page. Raises RenderingFailed.
    """
    facts = {"title": title, "language": language, "fingerprint": fingerprint, "case_number": case_number}
    with override(language):
        html = render_to_string(template, {"is_sample": False, **context, **facts})
    names = [PRINT_STYLES, SAMPLE_STYLES] if context.get("is_sample") else [PRINT_STYLES]
    styles = [_source(name) for name in names]
    try:
        return _child.call(json.dumps({"html": html, "styles": styles}).encode())
    except ChildFailed as failure:
        raise RenderingFailed(f"{template}: {failure}") from failure


def _source(name: str) -> str:
    """The text of a style sheet, found where templates are found."""
    return str(get_template(name).template.source)  # type: ignore[attr-defined]


def typeset(payload: bytes) -> bytes:
    """This function will typeset HTML and style sheets (JSON) into a PDF: the child's side of `render_pdf`.

    Raises RuntimeError when no Japanese font is there, when the document wants a file or an address, when a picture
    has no description, and for everything else WeasyPrint reports as an error.
    """
    from weasyprint import HTML
    from weasyprint.urls import FatalURLFetchingError

    _require_japanese_font()
    order, errors = json.loads(payload), _ErrorLog()
    logging.getLogger("weasyprint").handlers = [errors]
    try:
        raw = HTML(string=order["html"], url_fetcher=_fetcher()).write_pdf(
            stylesheets=[_style_sheet(text) for text in order["styles"]],
            font_config=_fonts(),
            pdf_variant="pdf/a-3a",
            pdf_tags=True,
        )
    except FatalURLFetchingError as denied:  # no Exception, so that WeasyPrint itself cannot swallow it
        raise RuntimeError(str(denied)) from None
    if errors.texts:
        raise RuntimeError("; ".join(errors.texts))
    return _finished(raw)


class _ErrorLog(logging.Handler):
    """WeasyPrint goes on after an error; an officer's document with a hole in it must not."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


def _fetcher() -> Any:
    from weasyprint.urls import FatalURLFetchingError, URLFetcher

    class Denied(URLFetcher):
        """Charts are inline and fonts are the system's, so a document needs no address at all."""

        def fetch(self, url: str, headers: Any = None) -> Any:
            raise FatalURLFetchingError(f"a document reads no file and no address: {url[:200]}")

    return Denied(fail_on_errors=True)


@cache
def _fonts() -> Any:
    from weasyprint.text.fonts import FontConfiguration

    return FontConfiguration()


@cache
def _style_sheet(text: str) -> Any:
    from weasyprint import CSS

    return CSS(string=text, url_fetcher=_fetcher(), font_config=_fonts())


@cache
def _require_japanese_font() -> None:
    """Without one WeasyPrint prints empty boxes and reports nothing."""
    if not has_japanese_font():
        raise RuntimeError(
            "no Japanese font is installed (fc-list :lang=ja is empty): "
            "apt-get install fonts-morisawa-bizud-gothic fonts-noto-cjk"
        )


def has_japanese_font() -> bool:
    """This function will tell whether any installed font covers Japanese, as `fc-list :lang=ja` does."""
    library = ctypes.CDLL(ctypes.util.find_library("fontconfig") or "libfontconfig.so.1")

    class FontSet(ctypes.Structure):
        _fields_ = (("count", ctypes.c_int), ("room", ctypes.c_int), ("fonts", ctypes.c_void_p))

    library.FcNameParse.restype = library.FcObjectSetCreate.restype = ctypes.c_void_p
    library.FcFontList.restype = ctypes.POINTER(FontSet)
    library.FcFontList.argtypes = [ctypes.c_void_p] * 3
    found = library.FcFontList(None, library.FcNameParse(b":lang=ja"), library.FcObjectSetCreate())
    return bool(found) and found.contents.count > 0


def _finished(raw: bytes) -> bytes:
    """Write what WeasyPrint leaves out: which way each table header points. Then save without a clock or chance."""
    import pikepdf

    with pikepdf.open(io.BytesIO(raw)) as document:
        for element, in_head in _elements(document.Root.StructTreeRoot.K, in_head=False):
            if element.S == "/TH" and "/A" in element:
                element.A.Scope = pikepdf.Name.Column if in_head else pikepdf.Name.Row
            elif element.S == "/Figure" and "/Alt" not in element:
                raise RuntimeError("a picture has no description: give its <svg> a <title>")
        finished = io.BytesIO()
        document.save(
            finished,
            deterministic_id=True,
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
            fix_metadata_version=False,
        )
    return finished.getvalue()


def _elements(kids: "pikepdf.Object", in_head: bool) -> "Iterator[tuple[pikepdf.Object, bool]]":
    """Structure elements in document order, each with whether it stands in a table's head."""
    import pikepdf

    for kid in kids if isinstance(kids, pikepdf.Array) else [kids]:
        if isinstance(kid, pikepdf.Dictionary) and "/S" in kid:
            yield kid, in_head
            if "/K" in kid:
                yield from _elements(kid.K, in_head or kid.S == "/THead")
