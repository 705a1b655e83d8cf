"""The documents of this app: the implementation policy of an area."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import override

from common.canonical import content_hash
from common.pdf import render_pdf
from programs.models import PolicyVersion
from programs.policy_words import blocks_of

LANGUAGE = "ja"


def policy_file_name(version: PolicyVersion) -> str:
    """This function will name the PDF: area and version."""
    return f"policy_{version.area.ref}_v{version.number}.pdf"


def policy_pdf(version: PolicyVersion) -> bytes:
    """This function will typeset a version from its text; one that is not in force says so."""
    with override(LANGUAGE):
        title = _("Implementation policy of area %(number)s %(area)s, version %(version)s") % {
            "number": version.area.number, "area": version.area.name, "version": version.number,
        }  # fmt: skip
        facts = {"area": version.area.ref, "number": version.number, "text": version.text}
        return render_pdf(
            "pdf/policy.html",
            {
                "version": version,
                "area": version.area,
                "blocks": blocks_of(version.text),
                "is_sample": version.is_sample,
            },
            title=title,
            language=LANGUAGE,
            fingerprint=version.content_hash or content_hash(facts),
            case_number=version.ref,
        )
