"""Scenarios over the pages: made, recalculated, proposed, saved in two windows, kept, compared; by whom; what is hidden."""

from datetime import date, datetime

import pytest

from common.fiscal_year import JAPAN
from evaluations.actions.scenarios import make_scenario, share_scenario
from evaluations.models import GateReview, Round, Scenario, ScenarioMove, ScenarioOutcome
from programs.actions.recusals import recuse
from tests.factories.money import plan_in_force, plan_level
from tests.factories.rounds import FLAGSHIPS, make_round

pytestmark = pytest.mark.django_db
AT = datetime(2026, 12, 1, 9, 0, tzinfo=JAPAN)
SECRET = 777_123_456


def prepared(cast, twin, projects=FLAGSHIPS[:3]):
    whole = make_round(cast, twin, projects=projects)
    Round.objects.filter(pk=whole.round.pk).update(decision_due_on=date(2027, 1, 15))
    whole.round.refresh_from_db()
    for place, ref in enumerate(projects):
        totals = {2027: 100_000_000 * (place + 1), 2028: 50_000_000}
        totals = {2027: SECRET} if place == 0 else totals
        plan_in_force(twin[ref], totals, by=cast["staff1"], second=cast["staff2"])
        plan_level(twin[ref], date(2028, 9, 30), 6)
    return whole


@pytest.fixture
def made(cast, twin):
    return prepared(cast, twin)


@pytest.fixture
def scenario(cast, made):
    return make_scenario(made.round, name="案1", by=cast["staff1"], at=AT)


def typed(client, scenario, **change):
    """What the form would send, with changes; a name of a change may begin with a project's reference."""
    form = client.get(f"/scenarios/{scenario.ref}/").context["form"]
    data = {cell.name: cell.value for cell in form.cells} | {"revision": str(form.revision), "act": "save"}
    prices = client.get(f"/scenarios/{scenario.ref}/").context["prices"]
    data |= {name: str(prices[name].value()) for name in prices.fields if name != "may_carry"}
    return data | {key.replace("__", "-"): value for key, value in change.items()}


def outcome(made, project, value, share=""):
    ref = made.reviews[project].ref
    return {f"outcome-{ref}": value, f"share-{ref}": share}


def test_scenario_when_carried_over_the_pages_then_saved_kept_copied_and_compared(client, cast, made):
    client.force_login(cast["staff1"])
    url = f"/rounds/{made.round.ref}/scenarios/"
    answer = client.post(url, {"name": "案A", "from_year": "2027"})
    scenario = Scenario.objects.get(name="案A")
    assert (answer.status_code, answer["Location"]) == (302, f"/scenarios/{scenario.ref}/")
    one, two = (made.reviews[ref].ref for ref in FLAGSHIPS[:2])
    data = (
        typed(client, scenario) | outcome(made, FLAGSHIPS[0], "stop") | outcome(made, FLAGSHIPS[1], "modify", "８０％")
    )
    data |= {
        "move-0-source": one, "move-0-source_year": "2027", "move-0-target": two, "move-0-target_year": "2028",
        "move-0-yen": "7億7,712万3,456円", "move-0-reason": "前倒し",
    }  # fmt: skip
    page = client.post(answer["Location"], data | {"act": "recalculate"})
    assert (page.status_code, page.context["is_unsaved"], ScenarioOutcome.objects.count()) == (200, True, 0)
    assert page.context["outlook"].moved_yen == SECRET
    assert client.post(answer["Location"], data).status_code == 302
    move = ScenarioMove.objects.get(scenario=scenario)
    assert (move.amount_yen, move.reason) == (SECRET, "前倒し")
    assert client.post(f"/scenarios/{scenario.ref}/keep/").status_code == 302
    kept = client.get(f"/scenarios/{scenario.ref}/")
    assert (kept.context["form"], "777,123,456" in kept.content.decode()) == (None, True)
    assert client.post(f"/scenarios/{scenario.ref}/", data).status_code == 403
    copied = client.post(f"/scenarios/{scenario.ref}/clone/", {"name": "案B"})
    assert copied.status_code == 302
    copy = Scenario.objects.get(name="案B")
    data = typed(client, copy) | {"move-0-source": "", "move-0-target": "", "move-0-yen": "", "move-0-reason": ""}
    assert client.post(f"/scenarios/{copy.ref}/", data | outcome(made, FLAGSHIPS[0], "later")).status_code == 302
    compared = client.get(f"{url}compare/?a={scenario.ref}&b={copy.ref}")
    assert [one.differs for one in compared.context["projects"]] == [True, True, False]
    assert [pair.first for pair in compared.context["totals"]][3] == SECRET
    content = b"".join(client.get(f"{url}compare/?a={scenario.ref}&b={copy.ref}&format=csv").streaming_content)
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.count(b"\r\n") == 1 + 3 * 2
    content = b"".join(client.get(f"/scenarios/{scenario.ref}/?format=csv").streaming_content)
    assert str(SECRET).encode() in content
    assert client.post(f"/scenarios/{scenario.ref}/archive/").status_code == 302
    assert client.post(f"/scenarios/{copy.ref}/delete/").status_code == 302
    assert [row.state for row in client.get(url).context["all"]] == ["archived"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"outcome": "modify"}, "share-"), ({"outcome": "modify", "share": "八割"}, "share-"),
        ({"outcome": "merge"}, "outcome-"), ({"outcome": "modify", "share": "50", "yen": "10"}, "share-"),
        ({"outcome": "modify", "yen": "いくらか"}, "yen-"), ({"outcome": "modify", "yen": "△5"}, "share-"),
        ({"name": " "}, "name"), ({"move-0-yen": "5"}, "move-0-"),
    ],
)  # fmt: skip
def test_scenario_when_something_is_wrong_then_it_stands_beside_the_field_and_nothing_is_lost(
    client, cast, made, scenario, change, field
):
    client.force_login(cast["staff1"])
    ref = made.reviews[FLAGSHIPS[1]].ref
    named = {"outcome": f"outcome-{ref}", "share": f"share-{ref}", "yen": f"yen-{ref}-2027"}
    data = typed(client, scenario) | {"note": "メモ"} | {named.get(key, key): value for key, value in change.items()}
    page = client.post(f"/scenarios/{scenario.ref}/", data)
    assert page.status_code == 422
    assert page.context["form"].errors
    assert {cell.name.startswith(field) for cell, _owner in page.context["form"].errors} == {True}
    text = page.content.decode()
    assert all(value in text for key, value in change.items() if key not in ("outcome", "name"))
    assert "メモ" in text
    assert not ScenarioOutcome.objects.filter(scenario=scenario).exists()
    scenario.refresh_from_db()
    assert (scenario.note, scenario.revision) == ("", 0)


def test_scenario_when_saved_in_two_windows_then_both_are_shown_and_the_second_save_counts(
    client, cast, made, scenario
):
    client.force_login(cast["staff1"])
    old = typed(client, scenario) | outcome(made, FLAGSHIPS[2], "later")
    assert (
        client.post(
            f"/scenarios/{scenario.ref}/", typed(client, scenario) | outcome(made, FLAGSHIPS[0], "stop")
        ).status_code
        == 302
    )
    page = client.post(f"/scenarios/{scenario.ref}/", old)
    assert page.status_code == 409
    form = page.context["form"]
    assert [row.now != "" for row in form.rows] == [True, False, True]
    assert [row.kind.value for row in form.rows] == ["continue", "continue", "later"]
    again = {cell.name: cell.value for cell in form.cells} | {"revision": str(form.revision), "act": "save"}
    assert client.post(f"/scenarios/{scenario.ref}/", again).status_code == 302
    assert [one.outcome for one in ScenarioOutcome.objects.filter(scenario=scenario)] == ["later"]
    assert client.post(f"/scenarios/{scenario.ref}/", {**again, "revision": "x"}).status_code == 400


def test_proposal_when_asked_for_then_it_says_what_and_why_and_saves_nothing(client, cast, made, scenario):
    client.force_login(cast["staff1"])
    data = typed(client, scenario, act="propose", change_yen="1", **{"budget-2027": "12億4千万", "budget-2028": "1億"})
    data[f"priority-{made.reviews[FLAGSHIPS[0]].ref}"] = "5"
    data[f"fixed-{made.reviews[FLAGSHIPS[2]].ref}"] = "on"
    page = client.post(f"/scenarios/{scenario.ref}/", data)
    shown = page.context["proposal"]
    assert (page.status_code, page.context["is_unsaved"]) == (200, True)
    assert [name for name, *_rest in shown.changed] == [page.context["labels"][made.reviews[FLAGSHIPS[1]].ref]]
    assert all(one.spent <= one.budget and one.missing == 0 for one in shown.years)
    assert shown.years[0].price > 0
    assert not ScenarioOutcome.objects.exists()
    form = page.context["form"]
    save = {cell.name: cell.value for cell in form.cells} | {"revision": "0", "act": "save"}
    assert client.post(f"/scenarios/{scenario.ref}/", save).status_code == 302
    assert ScenarioOutcome.objects.filter(scenario=scenario).count() == 1
    bad = client.post(f"/scenarios/{scenario.ref}/", typed(client, scenario, act="propose", change_yen="たかい"))
    assert (bad.status_code, list(bad.context["prices"].errors)) == (422, ["change_yen"])


def test_proposal_when_the_round_is_large_then_it_is_not_worked_out_in_the_request(client, cast, scenario, monkeypatch):
    monkeypatch.setattr("portal.scenarios.LARGEST_PROPOSAL", 2)
    client.force_login(cast["staff1"])
    page = client.post(f"/scenarios/{scenario.ref}/", typed(client, scenario, act="propose"))
    assert (page.status_code, page.context["proposal"]) == (422, None)
    assert "2" in page.context["form"].problem


# Who ------------------------------------------------------------------------------------------------------------------

READERS = "staff1 staff2 pd1 pd2 deputy1 po1"
MAKERS = "staff1 staff2 pd1 pd2 deputy1"


def _statuses(client, cast, path, method="get"):
    found = {}
    for name, user in cast.items():
        client.force_login(user)
        found[name] = getattr(client, method)(path).status_code
    return found


@pytest.mark.parametrize("path", ["", "clone/", "keep/", "delete/", "archive/"])
@pytest.mark.parametrize("is_shared", [False, True])
def test_pages_when_asked_by_everybody_then_the_table_is_right(client, cast, made, scenario, path, is_shared):
    share_scenario(scenario, is_shared=is_shared, by=cast["staff1"], at=AT)
    sees = READERS.split() if is_shared else ["staff1"]
    may = {
        "": sees, "clone/": [name for name in MAKERS.split() if name in sees], "keep/": ["staff1"],
        "delete/": ["staff1"], "archive/": [],
    }[path]  # fmt: skip
    expected = {name: 200 if name in may else 403 if name in sees else 404 for name in cast}
    assert _statuses(client, cast, f"/scenarios/{scenario.ref}/{path}") == expected


def test_list_when_asked_by_everybody_then_only_those_who_weigh_the_round(client, cast, made, scenario):
    sees = [*READERS.split(), "auditor1"]
    found = _statuses(client, cast, f"/rounds/{made.round.ref}/scenarios/")
    assert found == {name: 200 if name in sees else 404 for name in cast}
    posted = _statuses(client, cast, f"/rounds/{made.round.ref}/scenarios/", "post")
    assert posted == {name: 422 if name in MAKERS.split() else 403 if name in sees else 404 for name in cast}
    linked = {}
    for name in ("staff1", "po1", "jst1", "secretariat1", "chair1"):
        client.force_login(cast[name])
        linked[name] = (
            f"/rounds/{made.round.ref}/scenarios/" in client.get(f"/rounds/{made.round.ref}/").content.decode()
        )
    assert linked == {"staff1": True, "po1": True, "jst1": False, "secretariat1": False, "chair1": False}


def test_posts_when_by_others_then_refused_and_nothing_changes(client, cast, made, scenario):
    share_scenario(scenario, is_shared=True, by=cast["staff1"], at=AT)
    others = {name: user for name, user in cast.items() if name != "staff1"}
    for path in ("", "keep/", "share/", "delete/", "archive/"):
        expected = {name: 403 if name in READERS.split() else 404 for name in others}
        assert _statuses(client, others, f"/scenarios/{scenario.ref}/{path}", "post") == expected, path
    scenario.refresh_from_db()
    assert (scenario.state, scenario.is_shared, scenario.revision) == ("draft", True, 0)
    client.force_login(cast["staff1"])
    assert client.post(f"/scenarios/{scenario.ref}/share/", {"shared": "no"}).status_code == 302
    scenario.refresh_from_db()
    assert not scenario.is_shared


def test_pages_when_the_reader_has_a_conflict_then_nothing_of_the_project_is_there(client, cast, twin, made, scenario):
    """The canary: neither its name nor its money, nor any sum that holds it."""
    client.force_login(cast["staff1"])
    assert (
        client.post(
            f"/scenarios/{scenario.ref}/", typed(client, scenario) | outcome(made, FLAGSHIPS[0], "stop")
        ).status_code
        == 302
    )
    other = make_scenario(made.round, name="案2", by=cast["staff1"], at=AT)
    for one in (scenario, other):
        share_scenario(one, is_shared=True, by=cast["staff1"], at=AT)
    how = {"starts_on": date(2020, 4, 1), "source_ref": "COI-T", "by": cast["staff1"], "at": AT}
    recuse(cast["pd1"].person, twin[FLAGSHIPS[0]], **how)
    recuse(cast["staff2"].person, twin[FLAGSHIPS[0]], **how)
    paths = [
        f"/scenarios/{scenario.ref}/", f"/scenarios/{scenario.ref}/?format=csv",
        f"/rounds/{made.round.ref}/scenarios/compare/?a={scenario.ref}&b={other.ref}",
        f"/rounds/{made.round.ref}/scenarios/compare/?a={scenario.ref}&b={other.ref}&format=csv",
    ]  # fmt: skip
    hidden = [twin[FLAGSHIPS[0]].title_ja, made.reviews[FLAGSHIPS[0]].ref, "777", twin[FLAGSHIPS[0]].ref]
    for name in ("pd1", "staff2"):
        client.force_login(cast[name])
        for path in paths:
            answer = client.get(path)
            content = b"".join(answer.streaming_content) if answer.streaming else answer.content
            text = content.decode().replace(scenario.ref, "").replace(other.ref, "")
            assert not [word for word in hidden if word in text], (name, path)
    client.force_login(cast["staff1"])
    assert "777" in client.get(paths[0]).content.decode()


def test_compare_when_the_choice_is_wrong_then_said(client, cast, made, scenario):
    url = f"/rounds/{made.round.ref}/scenarios/compare/"
    client.force_login(cast["staff1"])
    assert client.get(f"{url}?a={scenario.ref}&b={scenario.ref}").status_code == 400
    assert client.get(f"{url}?a={scenario.ref}&b=SCN-0000000").status_code == 404
    foreign = make_scenario(made.round, name="PD案", by=cast["pd1"], at=AT)
    assert client.get(f"{url}?a={scenario.ref}&b={foreign.ref}").status_code == 404


@pytest.mark.parametrize("count", [1, 3])
def test_pages_when_there_are_more_rows_then_the_queries_are_the_same(
    client, cast, twin, count, django_assert_num_queries
):
    whole = prepared(cast, twin, FLAGSHIPS[:count])
    scenarios = [make_scenario(whole.round, name=f"案{n}", by=cast["staff1"], at=AT) for n in range(count + 1)]
    client.force_login(cast["staff1"])
    first, second = scenarios[0].ref, scenarios[1].ref
    url = f"/rounds/{whole.round.ref}/scenarios/"
    for path, queries in ((url, 7), (f"/scenarios/{first}/", 14), (f"{url}compare/?a={first}&b={second}", 13)):
        client.get(path)
        with django_assert_num_queries(queries):
            client.get(path)


def test_page_when_a_project_is_no_longer_reviewed_then_it_is_left_out(client, cast, made, scenario):
    GateReview.objects.filter(pk=made.reviews[FLAGSHIPS[0]].pk).update(state="invalidated", invalidated_reason="誤り")
    client.force_login(cast["staff1"])
    assert len(client.get(f"/scenarios/{scenario.ref}/").context["form"].rows) == 2
