"""HQ's view over its network of partners: one row an institution."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.fiscal_year import label as year_label
from portal.access import BadQuery, clock, page
from portal.lists import as_download, csv_rows
from portal.projects import find_project, show_tab
from programs.drawings import language
from programs.models import Project
from reporting.networks import Network, network_of


@page(
    permission="project.network",
    find=find_project,
    why=gettext_lazy(
        "The network is for the HQ, the principal investigator, the director, the officers and the ministry."
    ),
    params=("format",),
)
def project_network(request: HttpRequest, project: Project) -> HttpResponseBase:
    """This function will show the institutions of a project with their people, money, milestones and missing entries."""
    today = localdate(clock(request))
    network = network_of(request.user, project, today)
    if "format" in request.GET:
        return _csv(request, project, network)
    late = {one.key for row in network.rows for one in row.milestones if one.is_late(today)} | {
        one.key for one in network.team_milestones if one.is_late(today)
    }
    years = network.grid.years if network.grid else ()
    money = [
        (year, network.sums[index], [(row.participation.organization.name, row.years[index]) for row in network.rows])
        for index, year in enumerate(years)
    ]
    context = {"network": network, "years": years, "money": money, "late": late, "today": today}
    return show_tab(request, project, "project_network", context, template="portal/network/page.html")


def _csv(request: HttpRequest, project: Project, network: Network) -> HttpResponseBase:
    if request.GET["format"] != "csv":
        raise BadQuery(_("Choose CSV."))
    years = network.grid.years if network.grid else ()
    money = [_("Budget %(year)s (yen)") % {"year": year_label(year, language())} for year in years]
    head = [
        _("Institution"), _("Role"), _("People"), *money, _("Budget, all years (yen)"), _("Responsible for"),
        _("Missing entries"), _("Last entry"),
    ]  # fmt: skip

    def rows() -> Iterator[list[Any]]:
        for row in network.rows:
            yield [
                row.participation.organization.name, str(row.participation.get_role_display()),
                "、".join(one.person.name for one in row.members), *(yen or 0 for yen in row.years), row.total_yen,
                "、".join(f"{one.key} {one.title}" for one in row.milestones), "、".join(row.missing),
                row.last_at.isoformat() if row.last_at else "",
            ]  # fmt: skip

    response = StreamingHttpResponse(csv_rows(head, rows()), content_type="text/csv; charset=utf-8")
    return as_download(response, f"network-{project.ref}.csv")
