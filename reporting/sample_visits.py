"""The sample twin's implementation policy, site visit and advice; every word in them is made up and says so."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from programs.actions.advice import answer_advice, close_advice, give_advice
from programs.actions.policies import open_policy, put_policy_in_force, save_policy, submit_policy
from programs.actions.visits import open_visit, save_memo, share_memo
from programs.models import PolicyVersion, Project, ResearchArea, SiteVisit
from reporting.sample_cast import Users
from reporting.sample_records import sample_data

TOKYO = ZoneInfo("Asia/Tokyo")


def put_policy(area: ResearchArea, users: Users, *, at: datetime) -> int:
    """This function will write the policy of an area and put it in force, once; returns how many versions it made."""
    if PolicyVersion.objects.filter(area=area).exists():
        return 0
    how: dict[str, Any] = {"by": users[f"pd{area.number}"], "at": at}
    version = open_policy(area, **how)
    version = save_policy(version, text=sample_data("sample_visits.json")["policy"], revision=0, **how)
    put_policy_in_force(submit_policy(version, **how), effective_on=at.date(), by=users["staff1"], at=at)
    return 1


def pay_visit(project: Project, users: Users, *, at: datetime, now: datetime) -> int:
    """This function will record a visit with its memo and advice, and plan the next one, once; returns the records."""
    if SiteVisit.objects.filter(project=project).exists():
        return 0
    data = sample_data("sample_visits.json")
    how: dict[str, Any] = {"by": users["pd1"], "at": at}
    said = data["visit"]
    visit = open_visit(project, on=at.date(), place=said["place"], participants=said["participants"], **how)
    visit = share_memo(save_memo(visit, text=said["memo"], revision=0, **how), **how)
    for row in data["advice"]:
        _advise(visit, row, users, at, now)
    on = date(now.year, 7, 8)
    open_visit(project, on=on, place=data["next_visit"]["place"], by=users["pd1"], at=now)
    return 2 + len(data["advice"])


def _advise(visit: SiteVisit, row: dict[str, Any], users: Users, at: datetime, now: datetime) -> None:
    def moment(month: int, day: int) -> datetime:
        return min(datetime(at.year + 1, month, day, 10, 0, tzinfo=TOKYO), now)

    owner = users[row["owner"]].person
    assert owner is not None
    advice = give_advice(
        visit.project, text=row["text"], owner=owner, due_on=date(at.year + 1, *row["due"]), visit=visit,
        by=users["pd1"], at=at,
    )  # fmt: skip
    if "answered" in row:
        advice = answer_advice(advice, answer=row["answer"], by=users[row["owner"]], at=moment(*row["answered"]))
    if "closed" in row:
        close_advice(advice, by=users["pd1"], at=moment(*row["closed"]))
