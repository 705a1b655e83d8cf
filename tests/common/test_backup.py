"""Backup and restore: every row and file comes back; anything doubtful is refused."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.files.storage import default_storage
from django.db import connection

from common.backup import DUMP, backup, restore
from common.errors import Refused
from common.files import opened, place, store

AT = datetime(2026, 6, 10, tzinfo=UTC)
CONTENT = "見本の記録\n".encode()


def _source() -> dict[str, Any]:
    return {name: connection.settings_dict[name] for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT")}


def _connect(database: dict[str, Any]) -> psycopg.Connection:
    return psycopg.connect(
        dbname=database["NAME"], user=database["USER"], password=database["PASSWORD"] or None,
        host=database["HOST"], port=database["PORT"] or None, autocommit=True,
    )  # fmt: skip


@pytest.fixture
def empty(standing: None, db: None) -> Iterator[dict[str, Any]]:
    """A database of its own beside the one of the tests."""
    name = connection.settings_dict["NAME"] + "_restored"
    with _connect({**_source(), "NAME": "postgres"}) as server:
        server.execute(f'DROP DATABASE IF EXISTS "{name}"')
        server.execute(f'CREATE DATABASE "{name}"')
        yield {**_source(), "NAME": name}
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _counts(database: dict[str, Any]) -> dict[str, int]:
    with _connect(database) as server:
        tables = server.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        return {table: server.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0] for (table,) in tables}


def test_restore_when_into_an_empty_database_then_every_row_and_file_is_back(
    empty: dict[str, Any], tmp_path: Path
) -> None:
    stored = store(CONTENT, "記録.txt", at=AT)
    made = backup(tmp_path / "b", at=AT, database=_source())
    default_storage.delete(place(stored.sha256))
    back = restore(tmp_path / "b", database=empty)
    assert back == made
    assert (made.files, made.size) == (1, len(CONTENT))
    with opened(stored) as content:
        assert content.read() == CONTENT
    counts = _counts(empty)
    assert counts == _counts(_source())
    assert counts["programs_program"] > 11


def test_restore_when_the_database_has_tables_then_it_is_refused(db: None, tmp_path: Path) -> None:
    backup(tmp_path / "b", at=AT, database=_source())
    with pytest.raises(Refused, match=r"空|empty"):
        restore(tmp_path / "b", database=_source())


def test_restore_when_the_dump_was_changed_then_it_is_refused(db: None, tmp_path: Path) -> None:
    backup(tmp_path / "b", at=AT, database=_source())
    with (tmp_path / "b" / DUMP).open("ab") as dump:
        dump.write(b"x")
    with pytest.raises(Refused, match=DUMP):
        restore(tmp_path / "b", database=_source())


def test_backup_when_the_folder_is_in_use_then_it_is_refused(db: None, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("x")
    with pytest.raises(Refused):
        backup(tmp_path, at=AT, database=_source())


def test_backup_when_a_stored_file_is_damaged_then_there_is_no_list(db: None, tmp_path: Path) -> None:
    stored = store(CONTENT, "記録.txt", at=AT)
    Path(default_storage.path(place(stored.sha256))).write_bytes(b"other")
    with pytest.raises(Refused, match=stored.sha256):
        backup(tmp_path / "b", at=AT, database=_source())
    with pytest.raises(Refused, match=r"backup\.json"):
        restore(tmp_path / "b", database=_source())
    default_storage.delete(place(stored.sha256))
