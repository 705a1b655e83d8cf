"""What a client may see and do: its scopes, its agency, nothing that people keep to themselves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.utils import timezone
from oauth2_provider.models import AccessToken

from accounts.models import Organization, Person, User
from api.actions import deactivate_client
from api.scopes import SCOPES
from common.actors import SYSTEM
from programs.models import BudgetLine, Program, ProgramAgency, Project, ProjectRecusal, ResearchArea
from tests.api.conftest import Machine
from tests.api.reports import accepted_report
from tests.api.test_allocations import approved as approved_allocation
from tests.factories.decisions import recommended, released
from tests.programs.test_plans import handed_on, written

READS = [
    ("programs:read", "programs/"), ("programs:read", "programs/q-leap-sample/"),
    ("areas:read", "areas/"), ("areas:read", "areas/sample-ql1/"),
    ("projects:read", "projects/"), ("projects:read", "projects/sample-ql1-f1/"),
    ("plans:read", "plans/"), ("plans:read", "plans/PLN-0000000/"),
    ("trl-assessments:read", "trl-assessments/"),
    ("trl-assessments:read", "trl-assessments/sample-ql1-f1.claimed.2024-03-22/"),
    ("allocations:read", "allocations/"), ("allocations:read", "allocations/ALC-0000000/"),
    ("gate-reviews:read", "gate-reviews/"), ("gate-reviews:read", "gate-reviews/GR-0000000/"),
    ("decisions:read", "decisions/"), ("decisions:read", "decisions/DEC-0000000/"),
    ("milestones:read", "milestones/"), ("milestones:read", "milestones/sample-ql1-f1.1/"),
    ("budget-lines:read", "budget-lines/"), ("budget-lines:read", "budget-lines/q-leap-sample.2022.initial/"),
    ("indicators:read", "indicators/"), ("indicators:read", "indicators/none/"),
    ("observations:read", "observations/"), ("reports:read", "reports/"), ("reports:read", "reports/RPT-0000000/"),
]  # fmt: skip


def problem_of(response: Any) -> tuple[int, str]:
    body = orjson.loads(response.content)
    assert response["Content-Type"] == "application/problem+json"
    assert body["status"] == response.status_code
    return response.status_code, body["code"]


@pytest.mark.parametrize(("scope", "path"), READS)
def test_read_when_scope_is_missing_then_403_names_it(
    scope: str, path: str, make_machine: Callable[..., Machine]
) -> None:
    others = make_machine("sample-jst", [name for name in SCOPES if name != scope])
    response = others.get(path, accept_language="en")
    assert problem_of(response) == (403, "insufficient_scope")
    assert scope in orjson.loads(response.content)["detail"]


def test_post_when_only_read_scope_then_403(make_machine: Callable[..., Machine]) -> None:
    reader = make_machine("sample-jst", ["observations:read"])
    assert problem_of(reader.send("observations/", b"{}", key="k")) == (403, "insufficient_scope")


def test_scope_when_withdrawn_after_the_token_then_403(machine: Machine) -> None:
    machine.record.scopes = ["programs:read"]
    machine.record.save()
    assert problem_of(machine.get("projects/")) == (403, "insufficient_scope")
    assert machine.get("programs/").status_code == 200


@pytest.mark.parametrize(("scope", "path"), READS)
def test_list_when_agency_runs_nothing_then_empty_and_records_are_404(
    scope: str, path: str, stranger: Machine, machine: Machine, cast: dict[str, User], twin: dict[str, Project]
) -> None:
    accepted_report(twin["sample-ql1-f1"])
    handed_on(written(twin["sample-ql1-f1"], cast), cast)
    approved_allocation(twin["sample-ql1-f1"], cast)
    released(cast, recommended(cast, twin, "sample-ql1-f1").reviews["sample-ql1-f1"])
    response = stranger.get(path)
    if path.count("/") == 1:
        assert machine.json(path)["results"], "there is something to hide"
        assert orjson.loads(response.content) == {"results": [], "next": None, "previous": None}
    else:
        assert problem_of(response) == (404, "not_found")


def test_record_when_out_of_scope_or_missing_then_same_answer(stranger: Machine, twin: dict[str, Project]) -> None:
    hidden = stranger.get("projects/sample-ql1-f1/")
    missing = stranger.get("projects/no-such-project/")
    assert (hidden.status_code, hidden.content) == (missing.status_code, missing.content) == (404, missing.content)

    def headers(response: Any) -> dict[str, str]:
        return {name: value for name, value in response.items() if name != "X-Request-ID"}

    assert headers(hidden) == headers(missing)


def test_other_agencys_records_when_asked_then_hidden_everywhere(stranger: Machine, machine: Machine) -> None:
    other = Program.objects.create(
        ref="sample-other", name_ja="他機関の事業", kind="umbrella", path="sample-other/", is_sample=True
    )
    ProgramAgency.objects.create(program=other, organization=stranger.record.organization)
    area = ResearchArea.objects.create(ref="sample-other-a", program=other, number=1, name_ja="領域", is_sample=True)
    Project.objects.create(ref="sample-other-p", program=other, area=area, kind="basic", is_sample=True)
    BudgetLine.objects.create(program=other, fiscal_year=2022, kind="initial", amount_yen=1, printed_unit="million")
    for path in ("programs/sample-other/", "areas/sample-other-a/", "projects/sample-other-p/",
                 "budget-lines/sample-other.2022.initial/"):  # fmt: skip
        assert stranger.get(path).status_code == 200
        assert problem_of(machine.get(path)) == (404, "not_found")
        noun = path.split("/")[0]
        assert "sample-other" not in machine.get(f"{noun}/", {"page_size": 100}).content.decode()
    assert machine.json("projects/", {"q": "sample-other"})["results"] == []
    assert machine.json("projects/", {"program": "sample-other"})["results"] == []
    assert [row["ref"] for row in stranger.json("projects/")["results"]] == ["sample-other-p"]


def test_people_and_conflicts_when_they_exist_then_appear_in_no_answer(
    machine: Machine, twin: dict[str, Project]
) -> None:
    marker = "KANARI-7Q"
    person = Person.objects.create(name_ja=marker, name_en=marker, is_sample=True)
    ProjectRecusal.objects.create(
        project=twin["sample-ql1-f1"], person=person, starts_on=timezone.localdate(), source_ref=marker
    )
    Person.objects.filter(user__email="evaluator1@sample.example").update(name_ja=marker)
    for _scope, path in READS:
        assert marker not in machine.get(path).content.decode()


# Tokens ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer nonsense", "Bearer a b", "Basic YTpi", "bearer"])
def test_request_when_token_is_no_token_then_401_says_where_to_get_one(header: str, machine: Machine) -> None:
    response = machine.client.get("/api/v1/projects/", headers={"Authorization": header, "Accept-Language": "en"})
    status, code = problem_of(response)
    assert (status, code in ("not_authenticated", "invalid_token")) == (401, True)
    assert response["WWW-Authenticate"] == 'Bearer realm="sekisho"'
    assert "/api/oauth/token/" in orjson.loads(response.content)["detail"]


def test_token_when_expired_then_401(machine: Machine) -> None:
    # The database's clock stands still inside a test's transaction: a second ago may lie ahead of it.
    past = timezone.now() - timedelta(hours=1)
    AccessToken.objects.filter(application=machine.record.application).update(expires=past)
    assert problem_of(machine.get("projects/")) == (401, "invalid_token")


def test_client_when_switched_off_then_its_token_is_worth_nothing(machine: Machine) -> None:
    deactivate_client(machine.record.application.client_id, by=SYSTEM, at=timezone.now())
    assert problem_of(machine.get("projects/")) == (401, "invalid_token")


def test_client_when_its_organization_is_no_agency_any_more_then_401(machine: Machine) -> None:
    Organization.objects.filter(pk=machine.record.organization_id).update(is_funding_agency=False)
    assert problem_of(machine.get("projects/")) == (401, "invalid_token")


def test_person_when_signed_in_at_the_portal_then_api_still_wants_a_token(machine: Machine, cast: Any) -> None:
    machine.client.force_login(cast["staff1"])
    assert problem_of(machine.client.get("/api/v1/projects/")) == (401, "not_authenticated")
