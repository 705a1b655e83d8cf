"""A copy of everything that is the truth: the database by `pg_dump`, the stored files by their hash, and a list of both.

Files are content-addressed and only swept when no row names them, so copying them after the dump is enough: every file
that the dumped rows name is in the copy.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.utils.translation import gettext as _

from common.errors import Refused
from common.files import opened, place
from common.models import JournalSeal, StoredFile

DUMP, FILES, LIST = "database.dump", "files", "backup.json"


@dataclass(frozen=True, slots=True)
class Copied:
    """What a backup or a restore moved: files, their bytes, and the head of the journal's chain."""

    files: int
    size: int
    journal_head: str


def backup(target: Path, *, at: datetime, database: dict[str, Any]) -> Copied:
    """This function will write a backup into a new folder and return what is in it.

    `database` is Django's form of the owner's connection. Raises Refused when the folder has something in it, when
    `pg_dump` is missing or too old, or when a stored file is missing or damaged; the list is written last, so that a
    folder without it is no backup.
    """
    if target.exists() and any(target.iterdir()):
        raise Refused(_("The folder %(folder)s is not empty. Name a new one.") % {"folder": target})
    (target / FILES).mkdir(parents=True, exist_ok=True)
    _run("pg_dump", database, "--format=custom", f"--file={target / DUMP}", f"--dbname={database['NAME']}")
    listed = [_copied_out(stored, target) for stored in _one_row_a_hash()]
    head = JournalSeal.objects.order_by("-number").values_list("hash", flat=True).first() or ""
    content = {
        "made_at": at.isoformat(),
        "database_sha256": _sha256_of(target / DUMP),
        "journal_head": head,
        "files": listed,
    }
    (target / LIST).write_text(json.dumps(content, indent=1) + "\n")
    return Copied(len(listed), sum(row["size"] for row in listed), head)


def restore(source: Path, *, database: dict[str, Any]) -> Copied:
    """This function will fill an empty database and the file storage from a backup and return what was put back.

    Raises Refused when the folder is no complete backup, when a hash differs, or when the database is not empty.
    The database comes back in one transaction: all of it or nothing.
    """
    content = _list_of(source)
    if _sha256_of(source / DUMP) != content["database_sha256"]:
        raise Refused(_("%(file)s is damaged: its hash is not the one in the list.") % {"file": source / DUMP})
    if not _is_empty(database):
        raise Refused(_("The database has tables already. Restore into an empty one."))
    for row in content["files"]:
        _copied_in(row, source)
    _run(
        "pg_restore", database, "--no-owner", "--exit-on-error", "--single-transaction",
        f"--dbname={database['NAME']}", str(source / DUMP),
    )  # fmt: skip
    return Copied(len(content["files"]), sum(row["size"] for row in content["files"]), content["journal_head"])


def _one_row_a_hash() -> list[StoredFile]:
    return list(StoredFile.objects.order_by("sha256", "id").distinct("sha256"))


def _copied_out(stored: StoredFile, target: Path) -> dict[str, Any]:
    to = target / FILES / place(stored.sha256)
    to.parent.mkdir(exist_ok=True)
    try:
        with opened(stored) as source, to.open("wb") as copy:
            shutil.copyfileobj(source, copy)
    except FileNotFoundError:
        raise Refused(_("The stored file %(hash)s is missing.") % {"hash": stored.sha256}) from None
    if _sha256_of(to) != stored.sha256:
        raise Refused(_("The stored file %(hash)s is damaged.") % {"hash": stored.sha256})
    return {"sha256": stored.sha256, "size": stored.size}


def _copied_in(row: dict[str, Any], source: Path) -> None:
    copy = source / FILES / place(row["sha256"])
    if not copy.exists() or _sha256_of(copy) != row["sha256"]:
        raise Refused(_("The stored file %(hash)s is missing or damaged in the backup.") % {"hash": row["sha256"]})
    if not default_storage.exists(place(row["sha256"])):
        with copy.open("rb") as content:
            default_storage.save(place(row["sha256"]), File(content))


def _list_of(source: Path) -> dict[str, Any]:
    try:
        return json.loads((source / LIST).read_text())
    except (FileNotFoundError, NotADirectoryError):
        raise Refused(_("%(folder)s is no complete backup: it has no backup.json.") % {"folder": source}) from None


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_empty(database: dict[str, Any]) -> bool:
    question = "SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    return _run("psql", database, "-X", "-A", "-t", "-c", question, database["NAME"]).strip() == "0"


def _run(program: str, database: dict[str, Any], *arguments: str) -> str:
    """Runs one of PostgreSQL's own programs; the password goes by the environment, where no process list shows it."""
    path = Path(settings.POSTGRES_PROGRAMS) / program if settings.POSTGRES_PROGRAMS else Path(program)
    where = {"PGHOST": database["HOST"], "PGPORT": database["PORT"], "PGUSER": database["USER"]}
    secret = {"PGPASSWORD": database["PASSWORD"]}
    environment = {**os.environ, **{name: str(value) for name, value in {**where, **secret}.items() if value}}
    try:
        result = subprocess.run([path, *arguments], env=environment, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise Refused(
            _("%(program)s was not found. Install PostgreSQL's client programs of the server's version.")
            % {"program": program}
        ) from None
    if result.returncode:
        raise Refused(_("%(program)s failed: %(reason)s") % {"program": program, "reason": result.stderr.strip()})
    return result.stdout
