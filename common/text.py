"""What people type and paste: one way to count it, one way to clean it, one way to compare it.

The counting rule, the same in the browser and on the server: bring the text to NFC, make every line break one `\\n`,
count code points. A surrogate pair is one, a line break is one, a variation selector or a combining mark that NFC
cannot join is one more. The browser's line is `[...s.normalize('NFC').replace(/\\r\\n?/g, '\\n')].length`.
"""

import re
import unicodedata
from typing import TypeVar

CellT = TypeVar("CellT")

_LINE_BREAKS = re.compile(r"\r\n?")
#: Marks and overrides of the writing direction: they make a name look like another one.
_BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_BYTE_ORDER_MARK = "\ufeff"
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_KEPT_CONTROLS = "\n\t"
#: Kanji that NFC would replace by another form (塚 U+FA10, 神 U+FA19): a registered name keeps its own.
_COMPATIBILITY_KANJI = re.compile("([\uf900-\ufaff\U0002f800-\U0002fa1f])")
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20, 0xFFE5: 0xA5}


def count_characters(text: str) -> int:
    """This function will count the characters of a text by the one rule of the product (see the module's head)."""
    return len(unicodedata.normalize("NFC", _LINE_BREAKS.sub("\n", text)))


def clean(text: str) -> str:
    """This function will return typed or pasted text as it is kept: NFC, `\\n`, nothing invisible that acts.

    Control characters, direction marks, byte order marks and lone surrogates go; tabs, line breaks, joiners and
    variation selectors stay. Compatibility kanji are not exchanged for their twins, since they occur in names.
    """
    pieces = _COMPATIBILITY_KANJI.split(_LINE_BREAKS.sub("\n", text))
    composed = "".join(
        piece if index % 2 else unicodedata.normalize("NFC", piece) for index, piece in enumerate(pieces)
    )
    return "".join(character for character in composed if not _is_unwanted(character))


def clean_line(text: str) -> str:
    """This function will return cleaned text as a single line, each run of white space as one space."""
    return " ".join(clean(text).split())


def half_width(text: str) -> str:
    """This function will turn full-width digits, letters, signs and spaces into ASCII."""
    return text.translate(_FULL_WIDTH)


def safe_cell(value: CellT) -> CellT | str:
    """This function will return a cell that a spreadsheet will not run: text that looks like a formula is quoted."""
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return "'" + value
    return value


def unquoted_cell(text: str) -> str:
    """This function will take the quote of `safe_cell` away again."""
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA_STARTS) else text


def fold(text: str) -> str:
    """This function will return text as search compares it: NFKC and lower case, as the database's search column."""
    return unicodedata.normalize("NFKC", text).lower()


def _is_unwanted(character: str) -> bool:
    if character in _KEPT_CONTROLS:
        return False
    return character in _BIDI or character == _BYTE_ORDER_MARK or unicodedata.category(character) in ("Cc", "Cs")
