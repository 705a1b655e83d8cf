"""The sample twin's risks, collaborations and data management plan; all of it is made up and says so."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from accounts.models import User
from programs.actions import data_management
from programs.actions.collaborations import enter_collaboration
from programs.actions.risks import escalate_risk, open_risk
from programs.models import Collaboration, DataManagementPlan, Participation, Project, ProjectMember, Risk
from reporting.sample_records import sample_data


@transaction.atomic
def keep_records(project: Project, *, by: User, officer: User, at: datetime) -> int:
    """This function will enter a project's risks, collaborations and data management plan, once; returns how many."""
    if Risk.objects.filter(project=project).exists() or Collaboration.objects.filter(project=project).exists():
        return 0
    table = sample_data("sample_risks.json")
    how: dict[str, Any] = {"by": by, "at": at}
    owner = ProjectMember.objects.get(project=project, role="principal_investigator").person
    for row in table["risks"]:
        values = {**row, "owner": owner, "due_on": (at + timedelta(days=row["days"])).date()}
        risk = open_risk(project, values=values, **how)
        if "escalation" in row:
            escalate_risk(risk, text=row["escalation"], **how)
    today = at.date()
    for row in table["collaborations"]:
        values = {**row, "starts_on": today - timedelta(days=200)}
        if row["agreement"] == "signed":
            values["agreed_on"] = today - timedelta(days=210)
        if row["export_control"] != "open":
            values |= {"export_checked_on": today - timedelta(days=205), "export_checked_by": "見本 輸出管理担当"}
        enter_collaboration(project, values=values, **how)
    return len(table["risks"]) + len(table["collaborations"]) + _data_plan(project, table["data_plan"], how, officer)


def _data_plan(project: Project, table: dict[str, Any], how: dict[str, Any], officer: User) -> int:
    if DataManagementPlan.objects.filter(project=project).exists():
        return 0
    lead = Participation.objects.get(project=project, role="lead", ends_on__isnull=True).organization
    plan = data_management.open_data_plan(project, **how)
    plan = data_management.save_data_policy(plan, policy=table["policy"], revision=plan.revision, **how)
    for row in table["data_sets"]:
        data_management.save_data_set(plan, values={**row, "organization": lead}, **how)
    plan = data_management.submit_data_plan(plan, **how)
    data_management.confirm_data_plan(plan, by=officer, at=how["at"])
    return len(table["data_sets"])
