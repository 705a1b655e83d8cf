"""The content of a report version: what was written, and the figures as they stood, as plain data for one hash."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.timezone import localdate, localtime

from accounts.models import User
from programs.contents import project_content
from reporting.models import ProgressReport
from reporting.queries import sections_of

SHAPE = 1


def report_content(report: ProgressReport, *, by: User, at: datetime) -> dict[str, Any]:
    """This function will compile a report: texts, institutions, people, award numbers, TRL, milestones, gates, money.

    Dates are ISO 8601 in Japan time, money is integer yen, names are in Japanese as on record. The PDF is drawn from
    this alone.
    """
    return {
        "shape": SHAPE,
        "report": {
            "ref": report.ref,
            "kind": report.kind,
            "fiscal_year": report.fiscal_year,
            "due_on": report.due_on.isoformat(),
            "submitted_at": localtime(at).isoformat(),
            "submitted_by": by.person.name_ja if by.person else "",
        },
        "is_sample": report.is_sample,
        **project_content(report.project_id, localdate(at)),
        "sections": [
            {
                "key": s.key,
                "organization_ja": s.organization.name_ja if s.organization else None,
                "text": s.text,
                "version": s.version,
            }
            for s in sections_of(report)
        ],
    }
