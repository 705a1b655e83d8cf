"""What a file is by its content, whatever its name says, and what is refused by name."""

import codecs
import struct
import zipfile
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import IO, BinaryIO, cast

from django.utils.translation import gettext as _

from common.errors import Refused

FIELD = "file"
#: A workbook unpacks to perhaps thirty times its size; above this it was made to fill a memory.
MOST_UNPACKED_BYTES = 1_000_000_000
MOST_RATIO = 150
_HARMLESS_BYTES = 20_000_000
_MOST_DIRECTORY_BYTES = 4_000_000

_PROGRAMS = frozenset(
    [
        "app",
        "apk",
        "bat",
        "cmd",
        "com",
        "cpl",
        "dll",
        "dmg",
        "exe",
        "hta",
        "jar",
        "js",
        "jse",
        "lnk",
        "msi",
        "msp",
        "pif",
        "ps1",
        "py",
        "reg",
        "scr",
        "sh",
        "sys",
        "vb",
        "vbe",
        "vbs",
        "wsf",
        "wsh",
    ]
)
_WITH_MACROS = frozenset(["docm", "dotm", "xlsm", "xltm", "xlam", "pptm"])
_OLD_OFFICE = frozenset(["doc", "xls"])
_PROGRAM_STARTS = (
    b"\x7fELF",
    b"\xfe\xed\xfa\xce",
    b"\xfe\xed\xfa\xcf",
    b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",
    b"#!",
)
_OLE_START = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def content_type_of(content: IO[bytes], name: str) -> str:
    """This function will return the MIME type of a seekable file whose content agrees with the ending of its name.

    Raises Refused, with what to do, for everything else.
    """
    ending = name.rpartition(".")[2].lower()
    content.seek(0)
    start = content.read(1024)
    _refuse_by_nature(start, ending)
    if ending not in _ACCEPTED:
        raise _refused(
            "file_type", _("Files of this type are not accepted. Use PDF, PNG, JPEG, XLSX, DOCX, CSV or TXT.")
        )
    content_type, look = _ACCEPTED[ending]
    content.seek(0)
    look(content, start, ending)
    return content_type


def _refuse_by_nature(start: bytes, ending: str) -> None:
    if ending in _PROGRAMS or start.startswith(_PROGRAM_STARTS) or (start[:2] == b"MZ" and b"\0" in start):
        raise _refused("file_program", _("Programs and scripts are not accepted. Attach the document itself."))
    if ending in ("svg", "svgz") or b"<svg" in start.lower():
        raise _refused(
            "file_svg",
            _("SVG pictures are not accepted, because they can carry script. Save the picture as PNG or PDF."),
        )
    if ending in _WITH_MACROS:
        raise _with_macros()
    if start.startswith(_OLE_START) and ending in ("xlsx", "docx"):
        raise _refused(
            "file_encrypted", _("The file is protected by a password. Save it without one and choose it again.")
        )
    if ending in _OLD_OFFICE:
        raise _refused("file_type", _("Old Office files are not accepted. Save the file as XLSX or DOCX."))


def _look_pdf(content: IO[bytes], start: bytes, ending: str) -> None:
    import pikepdf

    if not start.startswith(b"%PDF-"):
        raise _mismatch(ending)
    try:
        with pikepdf.open(cast(BinaryIO, content)) as document:
            if document.is_encrypted:
                raise _encrypted_pdf()
            if not len(document.pages):
                raise _damaged()
    except pikepdf.PasswordError:
        raise _encrypted_pdf() from None
    except pikepdf.PdfError:
        raise _damaged() from None


def _look_picture(content: IO[bytes], start: bytes, ending: str) -> None:
    wanted = b"\x89PNG\r\n\x1a\n" if ending == "png" else b"\xff\xd8\xff"
    if not start.startswith(wanted):
        raise _mismatch(ending)


def _look_office(content: IO[bytes], start: bytes, ending: str) -> None:
    if not start.startswith(b"PK\x03\x04"):
        raise _mismatch(ending)
    _refuse_huge_directory(content)
    try:
        with zipfile.ZipFile(content) as package:
            parts = package.infolist()
    except (zipfile.BadZipFile, struct.error, ValueError, NotImplementedError, OSError):
        raise _damaged() from None
    unpacked = sum(part.file_size for part in parts)
    packed = sum(part.compress_size for part in parts)
    if unpacked > MOST_UNPACKED_BYTES or (unpacked > _HARMLESS_BYTES and unpacked > MOST_RATIO * max(packed, 1)):
        raise _bomb()
    names = {part.filename for part in parts}
    main = "xl/workbook.xml" if ending == "xlsx" else "word/document.xml"
    if any(part.flag_bits & 1 for part in parts):
        raise _refused(
            "file_encrypted", _("The file is protected by a password. Save it without one and choose it again.")
        )
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise _with_macros()
    if not {"[Content_Types].xml", main} <= names:
        raise _mismatch(ending)


def _refuse_huge_directory(content: IO[bytes]) -> None:
    """The list of parts is read into memory whole, so its size is looked at before."""
    size = content.seek(0, 2)
    tail_starts = max(0, size - 65_557)
    content.seek(tail_starts)
    tail = content.read()
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) < end + 22:
        raise _damaged()
    (directory_bytes,) = struct.unpack_from("<I", tail, end + 12)
    if directory_bytes > _MOST_DIRECTORY_BYTES or b"PK\x06\x07" in tail[max(0, end - 20) : end]:
        raise _bomb()
    content.seek(0)


def _look_text(content: IO[bytes], start: bytes, ending: str) -> None:
    """Text in UTF-8, or in the code page Japanese spreadsheets still write."""
    if not (_decodes(content, "utf-8") or _decodes(content, "cp932")):
        raise _refused(
            "file_content", _("The file is not plain text. Save it as text in UTF-8 or Shift_JIS and choose it again.")
        )


def _decodes(content: IO[bytes], encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    content.seek(0)
    try:
        while chunk := content.read(1 << 20):
            if b"\0" in chunk:
                return False
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


Look = Callable[[IO[bytes], bytes, str], None]
_ACCEPTED: Mapping[str, tuple[str, Look]] = MappingProxyType(
    {
        "pdf": ("application/pdf", _look_pdf),
        "png": ("image/png", _look_picture),
        "jpg": ("image/jpeg", _look_picture),
        "jpeg": ("image/jpeg", _look_picture),
        "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", _look_office),
        "docx": ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", _look_office),
        "csv": ("text/csv", _look_text),
        "txt": ("text/plain", _look_text),
    }
)


def _refused(code: str, message: str) -> Refused:
    return Refused(message, code, FIELD)


def _mismatch(ending: str) -> Refused:
    message = _(
        "The content of the file is not what its ending .%(ending)s says. "
        "Save it again from the program it was made with and choose that file."
    )
    return _refused("file_content", message % {"ending": ending})


def _encrypted_pdf() -> Refused:
    return _refused(
        "file_encrypted",
        _("The PDF is encrypted or protected. Save it without password and protection and choose it again."),
    )


def _damaged() -> Refused:
    return _refused(
        "file_damaged", _("The file is damaged and cannot be opened. Save it again from the program it was made with.")
    )


def _with_macros() -> Refused:
    return _refused(
        "file_macros", _("Office files with macros are not accepted. Save the file as XLSX or DOCX without macros.")
    )


def _bomb() -> Refused:
    return _refused(
        "file_bomb", _("The file unpacks to far more than its size. Save a smaller one and choose it again.")
    )
