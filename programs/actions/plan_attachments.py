"""Files that go with a change request: put in and taken out while the version is being written."""

from __future__ import annotations

from datetime import datetime
from typing import IO

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from common import files
from common.audit import record
from common.errors import NotAllowed, Refused
from common.states import locked
from programs.models import ChangeAttachment, ChangeRequest, PlanVersion, Project
from programs.rules.plans import plan_actions

MOST_FILES = 20


@transaction.atomic
def attach_file(version: PlanVersion, content: IO[bytes], name: str, *, by: User, at: datetime) -> ChangeAttachment:
    """This function will keep a file with the version's change request.

    Raises `NotAllowed`, or `Refused` for a file that is not accepted, a first version, or one file too many.
    """
    request = _request_for(version, by)
    if request.attachments.count() >= MOST_FILES:
        message = _("There are %(count)s files already. Take one out first.") % {"count": MOST_FILES}
        raise Refused(message, "too_many", files.FIELD)
    stored = files.store(content, name, at=at, is_sample=version.is_sample)
    attachment = ChangeAttachment.objects.create(request=request, file=stored, added_by=by, added_at=at)
    after = {"plan": version.ref, "file": stored.name, "hash": stored.sha256}
    record("attach_plan_file", version.project, by=by, at=at, after=after)
    return attachment


@transaction.atomic
def remove_attachment(version: PlanVersion, attachment_id: int, *, by: User, at: datetime) -> None:
    """This function will take a file out of the change request; one that is gone already is no matter."""
    request = _request_for(version, by)
    attachment = request.attachments.filter(pk=attachment_id).select_related("file").first()
    if attachment is None:
        return
    before = {"file": attachment.file.name, "hash": attachment.file.sha256}
    attachment.delete()
    record("remove_plan_file", version.project, by=by, at=at, before=before, after={"plan": version.ref})


def _request_for(version: PlanVersion, by: User) -> ChangeRequest:
    locked(Project, version.project_id)
    row = locked(PlanVersion, version.pk)
    if "plan.edit" not in plan_actions(by, row):
        raise NotAllowed(_("You cannot write this part of the plan now. Open the page again."))
    request = ChangeRequest.objects.filter(version=row).first()
    if request is None:
        raise Refused(_("The first plan has no change request to put a file to."), "no_request", files.FIELD)
    return request
