"""The pen: elements, text that fits, hatching without patterns, and the frame every chart has."""

import hashlib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

from common.text import clean_line

WIDTH = 360
SIZE = 13
FONTS = "BIZ UDGothic, Noto Sans JP, Noto Sans CJK JP, sans-serif"

#: Blue and ochre differ for every kind of colour vision and in lightness; shape and words say the same again.
INK, MUTED, LINE, PAPER = "#1a1a1a", "#595959", "#b3b3b3", "#ffffff"
BLUE, PALE, OCHRE = "#0017c1", "#dbe4ff", "#a34700"

Row = tuple[str, ...]


class Chart(str):
    """A whole `<svg>` as text, safe to print in a page, with its data as a table."""

    heading: str
    head: Row
    rows: tuple[Row, ...]

    def __new__(cls, svg: str, *, title: str, head: Row, rows: Iterable[Row]) -> "Chart":
        chart = super().__new__(cls, svg)
        chart.heading, chart.head, chart.rows = title, head, tuple(rows)
        return chart

    def __html__(self) -> str:
        return str(self)

    @property
    def labelled(self) -> tuple[tuple[tuple[str, str], ...], ...]:
        """The rows with each cell's name beside it: on a narrow screen the head is not there to say it."""
        return tuple(tuple(zip(self.head, row, strict=True)) for row in self.rows)


class Words(NamedTuple):
    """One word in both languages; charts know no settings, so they carry their own few."""

    ja: str
    en: str

    def __call__(self, language: str) -> str:
        return self.en if language == "en" else self.ja


def as_table(chart: Chart) -> list[Row]:
    """This function will return the data of a chart as rows of text, the head first."""
    return [chart.head, *chart.rows]


def drawing(parts: Sequence[str], *, height: float, title: str, desc: str, head: Row, rows: Iterable[Row]) -> Chart:
    """This function will frame the parts of a picture: size, fonts, title, description; ids come from the content."""
    body = "".join(parts)
    key = hashlib.sha256("\x1f".join((title, desc, body)).encode()).hexdigest()[:12]
    frame = {
        "xmlns": "http://www.w3.org/2000/svg",
        "class": "chart",
        "viewBox": f"0 0 {WIDTH} {number(height)}",
        "role": "img",
        "aria-labelledby": f"chart-title-{key} chart-desc-{key}",
        "font-family": FONTS,
        "font-size": number(SIZE),
        "fill": INK,
    }
    texts = element("title", title, id=f"chart-title-{key}") + element("desc", desc, id=f"chart-desc-{key}")
    svg = "<svg" + _attributes(frame) + ">" + texts + body + "</svg>"
    return Chart(svg, title=title, head=head, rows=rows)


def element(name: str, content: str = "", /, **attributes: str | float) -> str:
    """This function will write one element with escaped text; underscores in attribute names become hyphens."""
    opening = f"<{name}{_attributes({key.replace('_', '-'): value for key, value in attributes.items()})}"
    return f"{opening}>{escape(clean_line(content))}</{name}>" if content else f"{opening}/>"


def label(x: float, y: float, content: str, **attributes: str | float) -> str:
    """This function will write a line of text whose baseline begins at (x, y)."""
    return element("text", content, x=x, y=y, **attributes) if content else ""


def plated(x: float, y: float, content: str, **attributes: str | float) -> str:
    """This function will write a line of text on paper, so that no line of the plot runs through it."""
    plate = line(x - 1, y - 4.5, x + width_of(content) + 1, y - 4.5, stroke=PAPER, stroke_width=SIZE + 2)
    return plate + label(x, y, content, **attributes)


def line(x1: float, y1: float, x2: float, y2: float, **attributes: str | float) -> str:
    """This function will draw a straight line, grey unless told otherwise."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, **{"stroke": LINE, **attributes})


def box(x: float, y: float, width: float, height: float, **attributes: str | float) -> str:
    """This function will draw a rectangle."""
    return element("rect", x=x, y=y, width=max(width, 0), height=max(height, 0), **attributes)


def polyline(points: Sequence[tuple[float, float]], **attributes: str | float) -> str:
    """This function will draw an open line through the points."""
    joined = " ".join(f"{number(x)},{number(y)}" for x, y in points)
    return element("polyline", points=joined, **{"fill": "none", **attributes})


def polygon(points: Sequence[tuple[float, float]], **attributes: str | float) -> str:
    """This function will draw a closed shape through the points."""
    return element("polygon", points=" ".join(f"{number(x)},{number(y)}" for x, y in points), **attributes)


def diamond(x: float, y: float, radius: float, **attributes: str | float) -> str:
    """This function will draw a milestone's mark."""
    return polygon([(x, y - radius), (x + radius, y), (x, y + radius), (x - radius, y)], **attributes)


def triangle(x: float, y: float, radius: float, **attributes: str | float) -> str:
    """This function will draw a gate's mark, standing on y."""
    return polygon([(x - radius, y), (x, y - 1.7 * radius), (x + radius, y)], **attributes)


def hatched(x: float, y: float, width: float, height: float, colour: str) -> str:
    """This function will draw a framed box with diagonal lines: told from a filled one in grey print as well."""
    strokes = []
    offset = 5.0
    while offset < width + height:
        start_x, start_y = (offset, 0.0) if offset <= width else (width, offset - width)
        end_x, end_y = (0.0, offset) if offset <= height else (offset - height, height)
        strokes.append(f"M{number(x + start_x)} {number(y + start_y)}L{number(x + end_x)} {number(y + end_y)}")
        offset += 5.0
    frame = box(x, y, width, height, fill=PAPER, stroke=colour)
    return frame + (element("path", d="".join(strokes), stroke=colour, fill="none") if strokes else "")


def width_of(text: str, size: float = SIZE) -> float:
    """This function will estimate the width of a line of text: full-width characters one em, others a bit over half."""
    return sum(size if unicodedata.east_asian_width(character) in "WFA" else size * 0.57 for character in text)


def fitted(text: str, room: float, size: float = SIZE) -> str:
    """This function will shorten a line of text to the room it has; the whole text stands in the table beneath."""
    text = clean_line(text)
    if width_of(text, size) <= room:
        return text
    while text and width_of(text + "…", size) > room:
        text = text[:-1]
    return text.rstrip() + "…"


def wrapped(text: str, room: float, lines: int, size: float = SIZE) -> list[str]:
    """This function will break text into at most so many lines, the last one shortened if need be."""
    rest = clean_line(text)
    broken: list[str] = []
    while rest and len(broken) < lines - 1 and width_of(rest, size) > room:
        cut = max(1, sum(1 for end in range(1, len(rest) + 1) if width_of(rest[:end], size) <= room))
        space = rest.rfind(" ", 0, cut + 1)
        cut = space if space > cut // 2 else cut
        while 1 < cut < len(rest) and rest[cut] in "、。，．・）」』】ー々っッ,.)":
            cut -= 1
        broken.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*broken, fitted(rest, room, size)] if rest else broken


def spread(positions: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """This function will move labels apart to at least `gap`, in their order, within the bounds."""
    order = sorted(range(len(positions)), key=lambda index: positions[index])
    placed = [0.0] * len(positions)
    floor = low
    for index in order:
        placed[index] = floor = max(floor, positions[index])
        floor += gap
    ceiling = high
    for index in reversed(order):
        placed[index] = ceiling = min(ceiling, placed[index])
        ceiling -= gap
    return placed


def number(value: float) -> str:
    """This function will write a coordinate with one decimal at most, the same on every machine."""
    return f"{round(value, 1) + 0.0:.1f}".removesuffix(".0")


def _attributes(attributes: Mapping[str, str | float]) -> str:
    written = ((name, value if isinstance(value, str) else number(value)) for name, value in attributes.items())
    return "".join(f" {name}={quoteattr(clean_line(value))}" for name, value in written)
