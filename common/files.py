"""Files: looked at, stored under their hash, handed back; never overwritten.

The bytes lie at `sha256[:2]/sha256` in the default storage; the name stands on the row. The file is written first and
the row after it, so that no row ever lacks its file; files without a row are swept nightly. Both sides of that race
take the same advisory lock on the content.
"""

import hashlib
import io
import logging
import os
import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import IO

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from common.errors import Refused
from common.file_types import FIELD, content_type_of
from common.models import StoredFile
from common.text import clean_line

#: "200 MB" in anybody's counting is too large.
LARGEST_BYTES = 200_000_000 - 1
ORPHAN_AGE = timedelta(days=1)
logger = logging.getLogger(__name__)
_CHUNK = 1 << 20
_LONGEST_NAME = 150
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Checked:
    """What a file turned out to be."""

    name: str
    content_type: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep did: files removed because no row names them, and hashes of rows whose file is gone."""

    removed: int
    missing: tuple[str, ...]


def check(content: IO[bytes], name: str) -> Checked:
    """This function will look at a seekable file without keeping it in memory and say what it is.

    Raises Refused, with what to do, when it is too large, empty, encrypted, of a type that is not accepted, not what
    its name says, a program, or a bomb.
    """
    kept_name = safe_name(name)
    size, sha256 = _measured(content)
    if not size:
        raise Refused(_("The file is empty. Choose the file again."), "file_empty", FIELD)
    content.seek(0)
    return Checked(kept_name, content_type_of(content, kept_name), size, sha256)


def store(content: IO[bytes] | bytes, name: str, *, at: datetime, is_sample: bool = False) -> StoredFile:
    """This function will check a file, keep its bytes under their hash, and write its row in the caller's transaction.

    Raises Refused as `check` does.
    """
    source = io.BytesIO(content) if isinstance(content, bytes) else content
    checked = check(source, name)
    with transaction.atomic():
        _lock(checked.sha256)
        _keep(source, checked.sha256)
        return StoredFile.objects.create(
            sha256=checked.sha256,
            size=checked.size,
            name=checked.name,
            content_type=checked.content_type,
            is_sample=is_sample,
            created_at=at,
        )


def opened(stored: StoredFile) -> File:
    """This function will open the bytes of a stored file for reading; use it in a `with`."""
    return default_storage.open(place(stored.sha256), "rb")


def stored_file(pk: int) -> StoredFile:
    """This function will return the row of a stored file. Raises `StoredFile.DoesNotExist`."""
    return StoredFile.objects.get(pk=pk)


def sweep_orphans(*, at: datetime) -> Swept:
    """This function will remove files older than a day that no row names, and report rows whose file is gone."""
    removed, present = 0, set()
    for sha256 in _stored_hashes():
        present.add(sha256)
        if _modified_at(sha256) < at - ORPHAN_AGE and not _has_row(sha256):
            removed += _removed_if_orphan(sha256)
    rows = StoredFile.objects.values_list("sha256", flat=True)
    unseen = sorted(set(rows.iterator()) - present)
    missing = tuple(sha256 for sha256 in unseen if not default_storage.exists(place(sha256)))
    if missing:
        logger.error("stored files are missing: %s", " ".join(missing))
    return Swept(removed, missing)


def safe_name(name: str) -> str:
    """This function will return a file name as it is kept: NFC, no path, nothing invisible, nothing a system forbids.

    Raises Refused when nothing is left of it.
    """
    last = re.split(r"[/\\]", clean_line(name))[-1]
    visible = "".join(character for character in last if unicodedata.category(character) != "Cf")
    plain = re.sub(r'[<>:"|?*]', "_", visible).strip(" .")
    stem, dot, ending = plain.rpartition(".")
    if not stem:
        raise Refused(
            _("Give the file a name with its ending, such as report.pdf, and choose it again."), "file_name", FIELD
        )
    return f"{stem[:_LONGEST_NAME].rstrip()}{dot}{ending[:20]}"


def _measured(content: IO[bytes]) -> tuple[int, str]:
    """Size and hash in one pass, given up as soon as it is too much."""
    content.seek(0)
    size, digest = 0, hashlib.sha256()
    while chunk := content.read(_CHUNK):
        size += len(chunk)
        if size > LARGEST_BYTES:
            raise Refused(
                _("The file is 200 MB or larger. Make it smaller, for example with fewer pictures, or split it."),
                "file_too_large",
                FIELD,
            )
        digest.update(chunk)
    return size, digest.hexdigest()


def _keep(source: IO[bytes], sha256: str) -> None:
    """Write the bytes to their place, unless they are there. A crash may have left a part of them: that is replaced."""
    where = place(sha256)
    if default_storage.exists(where):
        with default_storage.open(where, "rb") as existing:
            if _measured(existing)[1] == sha256:
                return
        default_storage.delete(where)
    source.seek(0)
    default_storage.save(where, File(source))
    with suppress(NotImplementedError):  # a storage elsewhere has no path and keeps what it acknowledged
        _flush_to_disk(default_storage.path(where))


def _flush_to_disk(path: str) -> None:
    for one in (path, os.path.dirname(path)):
        descriptor = os.open(one, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def place(sha256: str) -> str:
    """This function will return where the bytes of a hash lie in the storage."""
    return f"{sha256[:2]}/{sha256}"


def _lock(sha256: str) -> None:
    """Hold the content until the transaction ends: one writer, and no sweep in between."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_lock_key(sha256)])


def _lock_key(sha256: str) -> int:
    return int.from_bytes(bytes.fromhex(sha256[:16]), signed=True)


def _removed_if_orphan(sha256: str) -> bool:
    with transaction.atomic():
        _lock(sha256)
        if _has_row(sha256):
            return False
        default_storage.delete(place(sha256))
        return True


def _has_row(sha256: str) -> bool:
    return StoredFile.objects.filter(sha256=sha256).exists()


def _modified_at(sha256: str) -> datetime:
    modified = default_storage.get_modified_time(place(sha256))
    return modified if timezone.is_aware(modified) else timezone.make_aware(modified)


def _stored_hashes() -> Iterator[str]:
    with suppress(FileNotFoundError):  # nothing was ever stored
        for folder in sorted(default_storage.listdir("")[0]):
            if re.fullmatch(r"[0-9a-f]{2}", folder):
                yield from sorted(name for name in default_storage.listdir(folder)[1] if _SHA256.fullmatch(name))
