import io
import os
import zipfile
from datetime import UTC, datetime, timedelta

import openpyxl
import pikepdf
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from common import file_types, files
from common.errors import Refused
from common.models import StoredFile

AT = datetime(2026, 6, 12, 8, 0, tzinfo=UTC)


def pdf(**save) -> bytes:
    document = pikepdf.new()
    document.add_blank_page()
    out = io.BytesIO()
    document.save(out, **save)
    return out.getvalue()


def xlsx() -> bytes:
    book = openpyxl.Workbook()
    book.active["A1"] = "量子"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def package(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


DOCX = package({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w/>"})
WITH_MACROS = package({"[Content_Types].xml": b"", "word/document.xml": b"", "word/vbaProject.bin": b""})
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
JPEG = b"\xff\xd8\xff\xe0" + bytes(20)


class Zeros(io.RawIOBase):
    """A seekable file of many bytes that are never in memory together; it remembers how far it was read."""

    def __init__(self, size: int) -> None:
        self.size, self.position, self.read_in_all = size, 0, 0

    def seek(self, offset, whence=0):
        self.position = offset if whence == 0 else self.size + offset
        return self.position

    def read(self, size=-1):
        assert 0 < size <= 4 << 20
        count = max(0, min(size, self.size - self.position))
        self.position += count
        self.read_in_all += count
        return bytes(count)


@pytest.mark.parametrize(
    ("name", "content", "content_type"),
    [
        ("報告書.pdf", pdf(), "application/pdf"),
        ("図.PNG", PNG, "image/png"),
        ("写真.jpg", JPEG, "image/jpeg"),
        ("写真.jpeg", JPEG, "image/jpeg"),
        ("収支.xlsx", xlsx(), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("計画.docx", DOCX, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("一覧.csv", "量子,1\r\n".encode("utf-8-sig"), "text/csv"),
        ("一覧.csv", "髙橋①,1\r\n".encode("cp932"), "text/csv"),
        ("メモ.txt", "MZ型のメモ".encode(), "text/plain"),
    ],
)
def test_check_when_an_accepted_file_then_its_type_by_content(name, content, content_type):
    checked = files.check(io.BytesIO(content), name)
    assert (checked.name, checked.content_type, checked.size) == (name, content_type, len(content))


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("空.pdf", b"", "file_empty"),
        ("暗号.pdf", pdf(encryption=pikepdf.Encryption(user="a", owner="b")), "file_encrypted"),
        ("保護.pdf", pdf(encryption=pikepdf.Encryption(user="", owner="b")), "file_encrypted"),
        ("壊れ.pdf", b"%PDF-1.7\n" + bytes(900), "file_damaged"),
        ("偽.pdf", PNG, "file_content"),
        ("偽.png", pdf(), "file_content"),
        ("偽.jpg", PNG, "file_content"),
        ("偽.xlsx", pdf(), "file_content"),
        ("偽.xlsx", DOCX, "file_content"),
        ("偽.docx", xlsx(), "file_content"),
        ("偽.docx", package({"a.txt": b"a"}), "file_content"),
        ("切れ.xlsx", xlsx()[:200], "file_damaged"),
        ("暗号.xlsx", file_types._OLE_START + bytes(600), "file_encrypted"),
        ("古い.xls", file_types._OLE_START + bytes(600), "file_type"),
        ("マクロ.xlsm", xlsx(), "file_macros"),
        ("マクロ.docx", WITH_MACROS, "file_macros"),
        ("図.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "file_svg"),
        ("図.png", b"<?xml version='1.0'?><SVG onload='alert(1)'/>", "file_svg"),
        ("図.svgz", b"\x1f\x8b", "file_svg"),
        ("setup.exe", b"MZ\x90\x00" + bytes(90), "file_program"),
        ("setup.pdf", b"MZ\x90\x00" + bytes(90), "file_program"),
        ("ls.txt", b"\x7fELF" + bytes(90), "file_program"),
        ("run.txt", b"#!/bin/sh\nrm -rf /\n", "file_program"),
        ("report.pdf.js", b"alert(1)", "file_program"),
        ("page.html", b"<p>", "file_type"),
        ("archive.zip", DOCX, "file_type"),
        ("メモ.txt", b"a\x00b", "file_content"),
        ("メモ.txt", b"\x81\xff\xff", "file_content"),
        ("pdf", pdf(), "file_name"),
        ("..", pdf(), "file_name"),
        (".pdf", pdf(), "file_name"),
    ],
)  # fmt: skip
def test_check_when_a_bad_file_then_refused_with_its_code_and_what_to_do(name, content, code):
    with pytest.raises(Refused) as refusal:
        files.check(io.BytesIO(content), name)
    assert (refusal.value.code, refusal.value.field) == (code, "file")
    assert str(refusal.value).endswith((".", "。"))


@pytest.mark.parametrize("size", [200_000_000, 200 * 1024 * 1024, 10**12])
def test_check_when_200_megabytes_then_refused_without_reading_on(size):
    upload = Zeros(size)
    with pytest.raises(Refused) as refusal:
        files.check(upload, "大きい.pdf")
    assert refusal.value.code == "file_too_large"
    assert upload.read_in_all <= 200_000_000 + (1 << 20)


def test_check_when_just_below_the_limit_then_its_size_is_not_what_is_refused():
    with pytest.raises(Refused) as refusal:
        files.check(Zeros(199_999_999), "大きい.pdf")
    assert refusal.value.code == "file_content"


def test_check_when_a_package_unpacks_to_too_much_then_refused_as_a_bomb():
    bomb = package({"[Content_Types].xml": b"", "xl/workbook.xml": bytes(40_000_000)})
    assert len(bomb) < 100_000
    with pytest.raises(Refused) as refusal:
        files.check(io.BytesIO(bomb), "爆弾.xlsx")
    assert refusal.value.code == "file_bomb"


def test_check_when_the_package_says_it_unpacks_to_gigabytes_then_refused_as_a_bomb():
    bomb = bytearray(package({"[Content_Types].xml": b"", "xl/workbook.xml": os.urandom(1000)}))
    entry = bomb.rfind(b"PK\x01\x02")
    bomb[entry + 24 : entry + 28] = (2_000_000_000).to_bytes(4, "little")
    with pytest.raises(Refused) as refusal:
        files.check(io.BytesIO(bytes(bomb)), "爆弾.xlsx")
    assert refusal.value.code == "file_bomb"


def test_check_when_the_package_lists_millions_of_parts_then_refused_before_the_list_is_read():
    bomb = bytearray(DOCX)
    end = bomb.rfind(b"PK\x05\x06")
    bomb[end + 12 : end + 16] = (400_000_000).to_bytes(4, "little")
    with pytest.raises(Refused) as refusal:
        files.check(io.BytesIO(bytes(bomb)), "爆弾.docx")
    assert refusal.value.code == "file_bomb"


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\Users\\私\\報告.pdf", "報告.pdf"),
        ("か\u3099ぞう.png", "がぞう.png"),
        ("invoice\u202efdp.exe.pdf", "invoicefdp.exe.pdf"),
        ("a\u200bb\u0000c.pdf", "abc.pdf"),
        ('"<a>|b?*:".pdf', "__a__b____.pdf"),
        ("  ..hidden.pdf. ", "hidden.pdf"),
        ("塚.pdf", "塚.pdf"),
        ("a\nb.pdf", "a b.pdf"),
        ("あ" * 300 + ".pdf", "あ" * 150 + ".pdf"),
    ],
)
def test_safe_name_when_it_tries_something_then_only_a_plain_name_is_left(given_name, kept):
    assert files.safe_name(given_name) == kept


@given(st.text(max_size=300))
def test_safe_name_when_given_anything_then_a_plain_name_or_a_refusal(name):
    try:
        kept = files.safe_name(name)
    except Refused:
        return
    assert not set(kept) & set('/\\<>:"|?*\0\n\r\u202e')
    assert len(kept) <= 171
    assert kept == kept.strip()
    assert files.safe_name(kept) == kept


@pytest.mark.django_db
def test_store_when_accepted_then_the_bytes_lie_under_their_hash_and_come_back():
    content = pdf()
    stored = files.store(SimpleUploadedFile("報告書.pdf", content, "text/html"), "報告書.pdf", at=AT, is_sample=True)
    assert (stored.name, stored.content_type, stored.size) == ("報告書.pdf", "application/pdf", len(content))
    assert stored.created_at == AT
    assert stored.is_sample
    assert default_storage.exists(f"{stored.sha256[:2]}/{stored.sha256}")
    with files.opened(stored) as back:
        assert back.read() == content


@pytest.mark.django_db
def test_store_when_the_same_bytes_come_again_then_one_file_and_two_rows():
    content = os.urandom(50).hex().encode()
    first, second = (files.store(content, f"{n}.txt", at=AT) for n in "ab")
    assert first.sha256 == second.sha256
    assert first.pk != second.pk
    folder = first.sha256[:2]
    assert [name for name in default_storage.listdir(folder)[1] if name.startswith(first.sha256)] == [first.sha256]


@pytest.mark.django_db
def test_store_when_a_crash_left_half_of_the_bytes_then_they_are_replaced():
    content = os.urandom(5000).hex().encode()
    sha256 = files.check(io.BytesIO(content), "a.txt").sha256
    default_storage.save(f"{sha256[:2]}/{sha256}", ContentFile(content[:100]))
    with files.opened(files.store(content, "a.txt", at=AT)) as back:
        assert back.read() == content


@pytest.mark.django_db
def test_store_when_refused_then_neither_row_nor_file():
    before = StoredFile.objects.count()
    with pytest.raises(Refused):
        files.store(b"MZ\x90\x00" + bytes(90), "a.exe", at=AT)
    assert StoredFile.objects.count() == before


@pytest.mark.django_db
def test_sweep_orphans_when_a_file_has_no_row_then_removed_after_a_day_and_not_before():
    kept = files.store(os.urandom(20).hex().encode(), "a.txt", at=AT)
    orphan = files.store(os.urandom(20).hex().encode(), "b.txt", at=AT)
    StoredFile.objects.filter(pk=orphan.pk).delete()
    now = datetime.now(UTC)
    assert files.sweep_orphans(at=now).removed == 0
    swept = files.sweep_orphans(at=now + timedelta(days=1, minutes=1))
    assert swept.removed >= 1
    assert not default_storage.exists(f"{orphan.sha256[:2]}/{orphan.sha256}")
    assert default_storage.exists(f"{kept.sha256[:2]}/{kept.sha256}")
    assert kept.sha256 not in swept.missing


@pytest.mark.django_db
def test_sweep_orphans_when_a_row_lost_its_file_then_reported():
    lost = files.store(os.urandom(20).hex().encode(), "a.txt", at=AT)
    default_storage.delete(f"{lost.sha256[:2]}/{lost.sha256}")
    assert lost.sha256 in files.sweep_orphans(at=datetime.now(UTC)).missing


@pytest.mark.django_db
def test_store_when_its_transaction_is_open_then_no_sweep_can_take_the_same_bytes():
    content = os.urandom(20).hex().encode()
    take = "SELECT pg_try_advisory_xact_lock(%s)"
    sweeper = connection.copy()
    try:
        key = files._lock_key(files.check(io.BytesIO(content), "a.txt").sha256)
        with sweeper.cursor() as cursor:
            assert cursor.execute(take, [key]).fetchone() == (True,)
            with transaction.atomic():
                files.store(content, "a.txt", at=AT)
                assert cursor.execute(take, [key]).fetchone() == (False,)
    finally:
        sweeper.close()


@pytest.mark.django_db
def test_sweep_orphans_when_a_row_came_while_it_waited_then_the_file_stays():
    stored = files.store(os.urandom(20).hex().encode(), "a.txt", at=AT)
    assert files._removed_if_orphan(stored.sha256) is False
    with files.opened(stored) as back:
        assert len(back.read()) == stored.size
