"""Reads of implementation policies: versions a reader may see, what is in force on a day, what waits for whom."""

from __future__ import annotations

from datetime import date

from django.db.models import Q, QuerySet

from programs.models import PolicyVersion, ResearchArea
from programs.rules.policies import policies_to_act_on, policies_visible

_PEOPLE = ("opened_by__person", "saved_by__person", "submitted_by__person", "approved_by__person")


def policies_visible_to(user: object) -> QuerySet[PolicyVersion]:
    """This function will return the policy versions this user or client may read, newest first."""
    rows = PolicyVersion.objects.filter(policies_visible(user)).select_related("area__program", "base", *_PEOPLE)
    return rows.order_by("area__ref", "-number")


def policies_of_area(user: object, area: ResearchArea) -> list[PolicyVersion]:
    """This function will return the versions of an area's policy that the reader may read, newest first."""
    return list(policies_visible_to(user).filter(area=area))


def policy_on(versions: list[PolicyVersion], on: date) -> PolicyVersion | None:
    """This function will pick the version that is in force on this day."""
    standing = [one for one in versions if one.effective_on is not None and one.effective_on <= on]
    return max(standing, key=lambda one: one.effective_on or date.min, default=None)


def newest_policy(area: ResearchArea) -> PolicyVersion | None:
    """This function will return the version that the next one is made from: the newest put in force, or ahead."""
    rows = PolicyVersion.objects.filter(Q(effective_on__isnull=False), area=area)
    return rows.order_by("-effective_on").first()


def policies_awaiting(user: object) -> QuerySet[PolicyVersion]:
    """This function will return the versions that wait for this person, longest waiting first."""
    return policies_visible_to(user).filter(policies_to_act_on(user)).order_by("opened_at", "pk")
