"""Comments for the project (開示用コメント): written from the sheets by one person, released by another."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from common.audit import record
from common.errors import Blocker, NotAllowed, NotReady, StaleEdit
from common.states import locked
from common.text import clean, count_characters
from evaluations.models import Case, DisclosedComment, Disclosure
from evaluations.queries.disclosures import WHOLE
from evaluations.rules.disclosures import disclosure_actions, has_written, release_blockers

LONGEST_COMMENT = 2000


@transaction.atomic
def save_disclosure(case: Case, *, texts: Mapping[str, str], revision: int, by: User, at: datetime) -> Disclosure:
    """This function will save the comments by criterion (its code, or "whole"), if nobody saved them since `revision`.

    Raises `NotAllowed` also once they are released, `StaleEdit`, `NotReady` for an unknown criterion or a long text.
    """
    row, there = _locked_for(case, "disclosure.edit", by)
    items = {one.code: one for one in row.panel.round.rubric.items.all()} if row.panel.round.rubric else {}
    typed = {key: clean(text).strip() for key, text in texts.items()}
    if blockers := _wrong(typed, items):
        raise NotReady(_("Not saved. Correct what is marked."), blockers)
    kept = {one.item_id: one for one in there.comments.all()} if there else {}
    changed = {}
    for key, text in typed.items():
        item = items.get(key)
        old = kept.get(item.pk if item else None)
        if text != (old.text if old else ""):
            changed[key] = (item, old, text)
    if there is not None and not changed:
        return there
    if revision != (there.revision if there else 0):
        message = _("Somebody else saved this in the meantime. Look at it again and save once more.")
        raise StaleEdit(message, current=there, submitted=typed)
    there = there or Disclosure(case=row)
    there.revision, there.edited_by, there.edited_at = there.revision + 1, by, at
    there.save()
    for item, old, text in changed.values():
        comment = old or DisclosedComment(disclosure=there, item=item)
        comment.text = text
        comment.writer_ids = [*(pk for pk in comment.writer_ids if pk != by.pk), by.pk]
        comment.save()
    record("save_disclosure", row, by=by, at=at, after={"revision": there.revision, "criteria": sorted(changed)})
    return there


def _wrong(typed: Mapping[str, str], items: Mapping[str, object]) -> list[Blocker]:
    found = []
    for key, text in typed.items():
        if key != WHOLE and key not in items:
            found.append(Blocker(key, "unknown_item", _("This criterion is not in the rubric. Open the page again.")))
        count = count_characters(text)
        if count > LONGEST_COMMENT:
            message = _("Shorten this to %(limit)s characters; it has %(count)s.")
            found.append(Blocker(key, "too_long", message % {"limit": LONGEST_COMMENT, "count": count}))
    return found


@transaction.atomic
def release_disclosure(case: Case, *, by: User, at: datetime) -> Disclosure:
    """This function will release the comments to the project; never by somebody who wrote one (the database refuses it).

    Raises `NotAllowed`, `NotReady` without any comment.
    """
    row, there = _locked_for(case, "disclosure.release", by)
    assert there is not None  # nothing written is nothing to release
    if blockers := release_blockers(there):
        raise NotReady(_("The comments cannot be released yet."), blockers)
    there.released_by, there.released_at = by, at
    there.save(update_fields=["released_by", "released_at"])
    record("release_disclosure", row, by=by, at=at, after={"revision": there.revision})
    return there


def _locked_for(case: Case, permission: str, by: User) -> tuple[Case, Disclosure | None]:
    row = locked(Case, case.pk)
    there = Disclosure.objects.select_for_update(of=("self",)).filter(case=row).first()
    if permission not in disclosure_actions(by, row, there):
        if permission == "disclosure.release" and there is not None and has_written(by, there):
            raise NotAllowed(_("Whoever wrote a comment does not release it. Ask a colleague."), "second_person")
        raise NotAllowed(_("This step is not open to you in the present state of the comments."))
    return row, there
