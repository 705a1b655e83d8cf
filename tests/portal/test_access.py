"""The lock of the portal's pages: sign in, find, may, refusals; nothing tells why something is not there."""

import re
from datetime import date

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from portal.access import PAGES
from programs.actions.recusals import recuse
from programs.models import Milestone, TrlAssessment

pytestmark = pytest.mark.django_db


def portal_views():
    def walk(patterns):
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns)
            elif isinstance(pattern, URLPattern) and pattern.callback.__module__.startswith("portal."):
                yield pattern

    return list(walk(get_resolver().url_patterns))


def without_tokens(response, path):
    text = response.content.decode().replace(path, "PATH")
    return re.sub(r'value="[A-Za-z0-9]{64}"', 'value="TOKEN"', text)


def headers(response):
    return {name: value for name, value in response.headers.items() if name not in ("X-Request-ID", "Content-Length")}


def test_every_page_names_its_permission():
    views = {f"{p.callback.__module__}.{p.callback.__qualname__}": p.callback for p in portal_views()}
    assert set(views) <= set(PAGES)
    locked = {name: view.permission for name, view in views.items() if hasattr(view, "permission")}
    assert locked == {name: PAGES[name] for name in locked}
    assert {"portal.home.home_page", "portal.projects.project_page", "portal.search.search_page"} <= set(locked)
    assert all(re.fullmatch(r"[a-z_]+\.[a-z_]+", permission) for permission in locked.values())


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/portfolio/",
        "/programs/q-leap/",
        "/areas/ql1/",
        "/projects/",
        "/projects/sample-ql1-f1/",
        "/search/?q=量子",
    ],
)
def test_page_when_nobody_signed_in_then_asks_to_sign_in_and_comes_back(client, path):
    response = client.get(path)
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/?next=/")
    assert response["Cache-Control"] == "no-store"


def test_page_behind_the_sign_in_is_never_stored(client, cast):
    client.force_login(cast["staff1"])
    assert client.get("/projects/").headers["Cache-Control"] == "no-store"


def test_missing_out_of_scope_and_conflicted_answer_the_same_404(client, cast, twin):
    hidden = twin["sample-ql1-f1"]
    client.force_login(cast["pd1"])
    assert client.get("/projects/sample-ql1-f1/").status_code == 200
    recuse(
        cast["pd1"].person, hidden, starts_on=date(2020, 4, 1), source_ref="COI-TEST", by=cast["staff1"],
        at=timezone.now(),
    )  # fmt: skip
    answers = []
    # pd1 directs area 1: one project in conflict, one real project out of scope, one that does not exist.
    for ref in ("sample-ql1-f1", "ql3-f1", "sample-ql9-zz"):
        path = f"/projects/{ref}/"
        response = client.get(path)
        answers.append((response.status_code, without_tokens(response, path), headers(response)))
    assert answers[0][0] == 404
    assert answers[0] == answers[1] == answers[2]


@pytest.mark.parametrize("tab", ["", "trl/", "money/", "people/", "history/"])
def test_evaluator_in_conflict_gets_404_on_every_tab(client, cast, twin, tab):
    Milestone.objects.get(project=twin["sample-ql1-f1"], number=1)
    client.force_login(cast["evaluator1"])
    assert client.get(f"/projects/sample-ql1-f1/{tab}").status_code == 404


def test_visible_but_not_allowed_is_a_403_that_says_why(client, cast):
    client.force_login(cast["pi1"])
    response = client.get("/portfolio/")
    assert response.status_code == 403
    assert "ポートフォリオを閲覧できるのは" in response.content.decode()


def test_history_when_coinvestigator_then_403_and_no_tab(client, cast):
    client.force_login(cast["coinvestigator1"])
    assert client.get("/projects/sample-ql1-f1/history/").status_code == 403
    assert "/projects/sample-ql1-f1/history/" not in client.get("/projects/sample-ql1-f1/").content.decode()


@pytest.mark.parametrize(
    "path", ["/?x=1", "/projects/?order=password", "/projects/?page_size=100000", "/search/?page=2"]
)
def test_unknown_parameter_is_a_400_that_names_it(client, cast, path):
    client.force_login(cast["staff1"])
    response = client.get(path)
    assert response.status_code == 400
    assert re.search(r"「(x|order|page_size|page)」", response.content.decode())


def test_unknown_parameter_on_a_hidden_project_is_still_404(client, cast):
    client.force_login(cast["pi2"])
    assert client.get("/projects/sample-ql1-f1/?x=1").status_code == 404


def test_post_to_a_page_that_only_shows_is_405(client, cast):
    client.force_login(cast["staff1"])
    assert client.post("/portfolio/").status_code == 405


def test_post_after_the_session_ended_hands_the_text_back_and_saves_nothing(client, cast, twin):
    before = TrlAssessment.objects.filter(project=twin["sample-ql1-f1"]).count()
    response = client.post(
        "/projects/sample-ql1-f1/trl/", {"act": "claim_trl", "claim_trl-evidence": "試作機の連続運転の記録"}
    )
    assert response.status_code == 401
    assert "試作機の連続運転の記録" in response.content.decode()
    assert TrlAssessment.objects.filter(project=twin["sample-ql1-f1"]).count() == before


def test_unknown_address_looks_like_any_other_404(client, cast):
    client.force_login(cast["pi1"])
    known = client.get("/projects/nothing-here/")
    unknown = client.get("/nowhere/nothing/")
    assert unknown.status_code == 404
    assert without_tokens(known, "/projects/nothing-here/") == without_tokens(unknown, "/nowhere/nothing/")
