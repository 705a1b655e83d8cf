"""Hand-over: all open matters of a role-holder, for the person, the staff and the successor; never more than they see."""

from datetime import timedelta

import pytest
from django.utils.timezone import localdate, now

from programs.actions.advice import give_advice
from programs.actions.allocations import node_for, open_allocation
from programs.actions.data_management import open_data_plan, save_data_policy, submit_data_plan
from programs.actions.policies import open_policy
from programs.actions.recusals import recuse
from programs.actions.risks import close_risk, escalate_risk
from programs.actions.trl import claim_trl
from programs.actions.visits import open_visit
from programs.models import AreaDirector, Deputy, Participation
from tests.cast import again
from tests.factories.decisions import F1, condition, recommended, released
from tests.factories.levels import level_of, shown
from tests.portal.test_visit_briefs import at_risk
from tests.programs.test_plans import handed_on, written
from tests.programs.test_risks import with_set

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(twin):
    return twin["sample-ql1-f1"]


@pytest.fixture
def advice(cast, project):
    return give_advice(
        project, text="手順を見直すこと。", owner=cast["pd1"].person, due_on=localdate() + timedelta(days=9),
        by=cast["po1"], at=now(),
    )  # fmt: skip


def of(cast, name, **more):
    query = "".join(f"&{key}={value}" for key, value in more.items())
    return f"/handover/?person={cast[name].person.ref}{query}"


def text_of(client, path):
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def succeeds(cast, area):
    """pd2 follows pd1 in the area."""
    last = localdate() + timedelta(days=20)
    AreaDirector.objects.filter(area=area).update(ends_on=last)
    AreaDirector.objects.create(
        area=area, person=cast["pd2"].person, starts_on=last + timedelta(days=1), granted_by=cast["staff1"],
        approved_by=cast["staff2"],
    )  # fmt: skip


def test_handover_when_asked_by_everybody_then_for_the_person_the_staff_the_deputy_and_auditors(client, cast, advice):
    seen = set()
    for name, user in cast.items():
        client.force_login(user)
        status = client.get(of(cast, "pd1")).status_code
        assert status in (200, 404), name
        seen |= {name} if status == 200 else set()
    assert seen == {"pd1", "staff1", "staff2", "deputy1", "auditor1"}


def test_successor_when_appointed_then_reads_what_both_may_see(client, cast, project, advice):
    client.force_login(cast["pd2"])
    assert client.get(of(cast, "pd1")).status_code == 404
    succeeds(cast, project.area)
    client.force_login(again(cast["pd2"]))
    text = text_of(client, of(cast, "pd1"))
    # The successor sees the area's projects from the first day of the own term on, not before.
    assert "手順を見直すこと。" not in text
    AreaDirector.objects.filter(person=cast["pd1"].person, area=project.area).update(ends_on=localdate() - timedelta(1))
    AreaDirector.objects.filter(person=cast["pd2"].person, area=project.area).update(starts_on=localdate())
    client.force_login(again(cast["pd2"]))
    assert f"/handover/?person={cast['pd1'].person.ref}&amp;" in text_of(client, "/areas/sample-ql1/people/")
    assert "手順を見直すこと。" in text_of(client, of(cast, "pd1"))
    recuse(cast["pd2"].person, project, starts_on=localdate(), source_ref="COI-T", by=cast["staff1"], at=now())
    client.force_login(again(cast["pd2"]))
    assert "手順を見直すこと。" not in text_of(client, of(cast, "pd1"))


def test_handover_when_a_draft_is_the_holders_alone_then_staff_see_no_trace_of_it(client, cast, project):
    version = written(project, cast)
    open_policy(project.area, by=cast["pd1"], at=now())
    draft = f"/projects/{project.ref}/plan/{version.number}/"
    client.force_login(cast["pi1"])
    assert draft in text_of(client, "/handover/")
    client.force_login(cast["staff1"])
    assert draft not in text_of(client, of(cast, "pi1"))
    assert "/policy/1/" not in text_of(client, of(cast, "pd1"))
    handed_on(version, cast, to="submitted")
    assert draft in text_of(client, of(cast, "pi1"))
    client.force_login(cast["pd1"])
    assert "/policy/1/" in text_of(client, "/handover/")


def test_handover_when_a_role_is_chosen_then_only_its_matters(client, cast, twin, advice):
    terms = {term.area.ref: term for term in AreaDirector.objects.filter(person=cast["pd1"].person)}
    here = f"director-{terms['sample-ql1'].pk}"
    client.force_login(cast["pd1"])
    assert "手順を見直すこと。" in text_of(client, of(cast, "pd1", role=here))
    assert client.get(of(cast, "pd1", role="director-999999")).status_code == 404
    client.force_login(cast["po1"])
    text = text_of(client, "/handover/")
    assert "手順を見直すこと。" in text
    client.force_login(cast["hq1"])
    assert client.get(of(cast, "pd1", role=here)).status_code == 404


def test_handover_when_the_holder_is_excluded_then_the_project_is_not_handed_over(client, cast, project, advice):
    client.force_login(cast["staff1"])
    assert "手順を見直すこと。" in text_of(client, of(cast, "pd1"))
    recuse(cast["pd1"].person, project, starts_on=localdate(), source_ref="COI-T", by=cast["staff1"], at=now())
    assert advice.ref not in text_of(client, of(cast, "pd1", role=f"director-{_term(cast).pk}"))
    client.force_login(again(cast["pd1"]))
    assert advice.ref not in text_of(client, "/handover/")


def _term(cast):
    return AreaDirector.objects.get(person=cast["pd1"].person)


def test_deputy_when_no_longer_in_force_then_the_page_is_not_there(client, cast, advice):
    Deputy.objects.filter(person=cast["deputy1"].person).update(ends_on=localdate() - timedelta(1))
    client.force_login(again(cast["deputy1"]))
    assert client.get(of(cast, "pd1")).status_code == 404


def test_handover_when_a_risk_waits_for_the_director_then_it_is_handed_over_to_whoever_sees_it(client, cast, project):
    risk = at_risk(project, cast, "冷凍機の停止-引継ぎ")
    escalate_risk(risk, text="判断を求める", by=cast["pi1"], at=now())
    client.force_login(cast["staff1"])
    assert "冷凍機の停止-引継ぎ" in text_of(client, of(cast, "pd1"))
    recuse(cast["staff1"].person, project, starts_on=localdate(), source_ref="COI-T", by=cast["staff2"], at=now())
    client.force_login(again(cast["staff1"]))
    assert "冷凍機の停止-引継ぎ" not in text_of(client, of(cast, "pd1"))


def test_handover_when_matters_wait_for_others_then_they_stand_on_the_page_all_the_same(client, cast, project, twin):
    risk = at_risk(project, cast, "冷凍機の停止-進行中")
    claim_trl(project, level=level_of(5), on=localdate(), evidence=shown(project, 5), by=cast["pi1"], at=now())
    visit = open_visit(project, on=localdate() + timedelta(9), place="見本機関A", by=cast["pd1"], at=now())
    plan = handed_in(project, cast)
    for name in ("po1", "staff1", "auditor1"):
        client.force_login(cast[name])
        text = text_of(client, of(cast, "po1"))
        claim = f'/projects/{project.ref}/trl/">TRL5の申告'
        for part in ("冷凍機の停止-進行中", claim, f"/visits/{visit.ref}/", f"/data-plans/{plan.ref}/"):
            assert part in text, (name, part)
    close_risk(risk, text="代替機で再開した", by=cast["pi1"], at=now())
    client.force_login(cast["po1"])
    assert "冷凍機の停止-進行中" not in text_of(client, of(cast, "po1"))
    recuse(cast["staff1"].person, project, starts_on=localdate(), source_ref="COI-T", by=cast["staff2"], at=now())
    client.force_login(again(cast["staff1"]))
    text = text_of(client, of(cast, "po1"))
    assert f"/projects/{project.ref}/trl/" not in text
    assert f"/data-plans/{plan.ref}/" not in text


def handed_in(project, cast):
    """A data management plan that waits for the program officer."""
    plan = open_data_plan(project, by=cast["pi1"], at=now())
    plan = save_data_policy(plan, policy="一年以内に公開", revision=0, by=cast["pi1"], at=now())
    with_set(plan, Participation.objects.get(project=project, role="lead").organization, cast)
    return submit_data_plan(plan, by=cast["pi1"], at=now())


def test_handover_when_a_gate_runs_then_review_and_conditions_are_on_it_as_the_reader_may_know(client, cast, twin):
    review = recommended(cast, twin, F1).reviews[F1]
    seen = {}
    for name in ("pi1", "pd1", "staff1"):
        client.force_login(cast[name])
        seen[name] = [one.what for one in client.get("/handover/").context["shown"].matters if review.ref in one.url]
        seen[name] += [one.label for one in client.get("/handover/").context["shown"].tasks if review.ref in one.url]
    assert [len(found) for found in seen.values()] == [1, 1, 1]
    assert "審査中" in seen["pi1"][0]
    assert "推薦" not in seen["pi1"][0]
    decision = released(cast, review, conditions=[condition(text="試験体制を定めること-引継ぎ")])
    assert decision.conditions.count() == 1
    for name in ("po1", "pi1", "staff1"):
        client.force_login(cast[name])
        assert "試験体制を定めること-引継ぎ" in text_of(client, "/handover/")
    client.force_login(cast["pi2"])
    assert "試験体制を定めること-引継ぎ" not in text_of(client, "/handover/")


def test_handover_when_an_allocation_is_being_written_then_it_is_on_it_for_whoever_sees_drafts(client, cast, project):
    made = open_allocation(node_for(project.area), 2031, by=cast["pd1"], at=now())
    client.force_login(cast["po1"])
    assert f"/allocations/{made.ref}/" in text_of(client, "/handover/")
    client.force_login(cast["staff1"])
    assert f"/allocations/{made.ref}/" not in text_of(client, of(cast, "po1"))


def test_handover_when_taken_as_csv_then_every_matter_is_in_it(client, cast, advice):
    client.force_login(cast["staff2"])
    content = b"".join(client.get(of(cast, "pd1", format="csv")).streaming_content).decode()
    assert content.startswith("\ufeff")
    assert "手順を見直すこと。" in content
    assert f"/advice/{advice.ref}/" in content
    assert client.get(of(cast, "pd1", format="xml")).status_code == 400
    assert client.get("/handover/?person=PSN-0000000").status_code == 404
    assert client.get("/handover/?who=x").status_code == 400


@pytest.mark.parametrize("count", [1, 3])
def test_handover_when_more_is_open_then_the_queries_are_the_same(
    client, cast, project, count, django_assert_num_queries
):
    for _n in range(count):
        give_advice(
            project, text="見直すこと。", owner=cast["pd1"].person, due_on=localdate(), by=cast["po1"], at=now()
        )
    client.force_login(cast["staff1"])
    client.get(of(cast, "pd1"))
    with django_assert_num_queries(37):
        client.get(of(cast, "pd1"))
