"""Documents made in the background and kept with what they belong to."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from common import files
from common.actors import SYSTEM
from common.audit import record
from common.models import StoredFile
from common.states import locked
from programs.actions.deliverables import attach_file
from reporting.documents import report_file_name, report_pdf
from reporting.models import ReportVersion


def attach_report_pdf(version_id: int, *, at: datetime) -> StoredFile:
    """This function will render a frozen version's PDF and attach it; a second call returns the one that is there.

    The typesetting happens before the lock: it takes a second, and nobody should wait for it.
    """
    version = ReportVersion.objects.select_related("report", "pdf").get(pk=version_id)
    if version.pdf is not None:
        return version.pdf
    content = report_pdf(version)
    with transaction.atomic():
        row = locked(ReportVersion, version.pk)
        if row.pdf is not None:
            return row.pdf
        row.pdf = files.store(content, report_file_name(version), at=at, is_sample=version.report.is_sample)
        row.save(update_fields=["pdf"])
        record(
            "attach_report_pdf",
            version.report,
            by=SYSTEM,
            at=at,
            after={"version": row.number, "sha256": row.pdf.sha256},
        )
        # A report accepted before its PDF was there: the deliverable gets it now.
        attach_file(source_ref=version.report.ref, content_hash=row.content_hash, file=row.pdf, by=SYSTEM, at=at)
        return row.pdf
