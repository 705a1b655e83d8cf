"""Panels over the pages: proposed, approved, accepted; who opens what; letters; the public roster; no name reaches a team."""

import json
import re
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import URLPattern
from django.utils import timezone

import portal.urls
from accounts.models import Person, User
from evaluations.actions.panels import approve_roster_release, propose_roster_release
from evaluations.models import PanelMember, Round
from evaluations.queries.panels import pledge_of
from programs.models import Project
from tests.cast import again
from tests.factories.rounds import FLAGSHIPS, make_round

pytestmark = pytest.mark.django_db
TERM = {"starts_on": "2026-04-01", "ends_on": "令和81年3月31日"}


@pytest.fixture
def made(cast, twin):
    return make_round(cast, twin, evaluators=4, documents_open=False)


@pytest.fixture
def url(made):
    return f"/panels/{made.panel.ref}/"


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


def typed(cast, made, name="evaluator9", **changes):
    field = made.panel.expertises.first()
    return {
        "person": str(cast[name].person.pk), "role": "member", "is_scoring": "on", "sector": "industry",
        "expertises": [str(field.pk)], "cases_max": "2", "organization": "", "position": "室長", **TERM, **changes,
    }  # fmt: skip


def proposed(cast, made, url, **changes):
    answer = signed_in(cast["staff1"]).post(f"{url}members/new/", typed(cast, made, **changes))
    assert answer.status_code == 302
    return PanelMember.objects.get(panel=made.panel, person=cast["evaluator9"].person, state="invited")


def invited(cast, made, url):
    member = proposed(cast, made, url)
    assert signed_in(cast["staff2"]).post(f"{url}members/{member.ref}/approve/").status_code == 302
    return member


def release(made, cast, on=None):
    today = timezone.localdate()
    Round.objects.filter(pk=made.round.pk).update(roster_release_on=today)
    propose_roster_release(made.panel, release_on=on or today, by=cast["staff1"], at=timezone.now())
    approve_roster_release(made.panel, by=cast["staff2"], at=timezone.now())


# Members --------------------------------------------------------------------------------------------------------------


def test_member_when_carried_over_the_pages_then_appointed_with_letters(cast, made, url):
    staff = signed_in(cast["staff1"])
    found = staff.get(f"{url}members/new/", {"q": "評価委員9"})
    assert [str(label).split(" (")[0] for _key, label in found.context["form"].fields["person"].choices] == [
        cast["evaluator9"].person.name_ja
    ]
    member = proposed(cast, made, url)
    assert (member.position, member.cases_max, member.sector, member.ends_on.year) == ("室長", 2, "industry", 2099)
    assert "承認" in staff.get(url).content.decode()
    assert staff.post(f"{url}members/{member.ref}/approve/").status_code == 403
    evaluator = signed_in(cast["evaluator9"])
    assert evaluator.get(f"{url}invitation/").status_code == 404
    assert signed_in(cast["staff2"]).post(f"{url}members/{member.ref}/approve/").status_code == 302
    page = evaluator.get(f"{url}invitation/")
    assert pledge_of(made.panel).splitlines()[1] in page.content.decode()
    assert f"{url}invitation/" in evaluator.get("/").content.decode()
    shown = {"shown": pledge_of(made.panel)}
    refused = evaluator.post(f"{url}invitation/", shown)
    assert (refused.status_code, list(refused.context["form"].errors)) == (422, ["pledge"])
    assert evaluator.get(f"{url}invitation/letter.pdf").status_code == 403
    assert evaluator.post(f"{url}invitation/", shown | {"pledge": "on"}).status_code == 302
    for who, path in ((evaluator, "invitation/"), (staff, f"members/{member.ref}/")):
        for kind in ("letter", "pledge"):
            answer = who.get(f"{url}{path}{kind}.pdf")
            assert (answer.status_code, answer.content[:5]) == (200, b"%PDF-")
            assert "attachment" in answer["Content-Disposition"]
        assert who.get(f"{url}{path}other.pdf").status_code == 404
    assert f"{url}invitation/" in evaluator.get("/reviews/").content.decode()


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"person": ""}, ["person"]), ({"person": "999999"}, ["person"]), ({"role": "chair"}, ["role"]),
        ({"ends_on": ""}, ["ends_on"]), ({"ends_on": "2026-03-01"}, ["ends_on"]), ({"cases_max": "９９"}, ["cases_max"]),
        ({"starts_on": "あした"}, ["starts_on"]), ({"expertises": ["999999"]}, ["expertises"]), ({"role": "king"}, ["role"]),
    ],
)  # fmt: skip
def test_member_when_wrong_then_said_beside_the_field_and_nothing_made(cast, made, url, changes, fields):
    before = PanelMember.objects.count()
    answer = signed_in(cast["staff1"]).post(f"{url}members/new/", typed(cast, made, **changes))
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, fields)
    assert PanelMember.objects.count() == before


def test_invitation_when_declined_then_with_a_reason(cast, made, url):
    member = invited(cast, made, url)
    evaluator = signed_in(cast["evaluator9"])
    assert evaluator.post(f"{url}invitation/decline/", {"reason": " "}).status_code == 422
    assert evaluator.post(f"{url}invitation/decline/", {"reason": "日程が合わない"}).status_code == 302
    member.refresh_from_db()
    assert (member.state, evaluator.get(f"{url}invitation/").status_code) == ("declined", 200)
    assert evaluator.post(f"{url}invitation/", {"shown": pledge_of(made.panel), "pledge": "on"}).status_code == 403
    assert "日程が合わない" in signed_in(cast["staff1"]).get(url).content.decode()


def test_membership_when_ended_over_the_page_then_a_reason_is_asked(cast, made, url):
    member = made.members["evaluator2"]
    staff = signed_in(cast["secretariat1"])
    assert staff.get(f"{url}members/{member.ref}/end/").status_code == 200
    assert staff.post(f"{url}members/{member.ref}/end/", {"reason": ""}).status_code == 422
    assert staff.post(f"{url}members/{member.ref}/end/", {"reason": "本人の申出"}).status_code == 302
    member.refresh_from_db()
    assert member.state == "ended"
    text = staff.get(f"{url}members.csv").getvalue().decode()
    assert text[0] == "\ufeff"
    assert cast["evaluator2"].person.name_ja in text


# Expertise ------------------------------------------------------------------------------------------------------------


def test_expertise_when_edited_over_the_page_then_saved_and_asked_for_by_a_case(cast, made, url):
    staff = signed_in(cast["secretariat1"])
    first, second, third = made.panel.expertises.all()
    data = {
        "field-0-key": str(second.pk), "field-0-name_ja": "実証", "field-1-key": str(first.pk), "field-1-name_ja": "理論",
        "field-2-key": str(third.pk), "field-2-name_ja": "", "field-3-key": "", "field-3-name_ja": "計測", "pledge": "誓約",
    }  # fmt: skip
    assert staff.post(f"{url}edit/", data).status_code == 302
    assert list(made.panel.expertises.values_list("name_ja", flat=True)) == ["実証", "理論", "計測"]
    case = f"/cases/{made.cases[FLAGSHIPS[1]].ref}/expertise/"
    assert staff.post(case, {"expertises": [str(first.pk)]}).status_code == 302
    assert [one.name_ja for one in made.cases[FLAGSHIPS[1]].expertises.all()] == ["理論"]
    assert staff.post(case, {"expertises": [str(third.pk)]}).status_code == 422
    refused = staff.post(f"{url}edit/", {"field-0-key": str(second.pk), "field-0-name_ja": "実証", "pledge": "誓約"})
    assert (refused.status_code, "理論" in refused.context["table"].problem) == (422, True)


# Who opens what -------------------------------------------------------------------------------------------------------

SEES = "staff1 staff2 secretariat1 chair1 pd1 pd2 deputy1 po1 auditor1 jst1 jst2"
KEEPS = "staff1 staff2 secretariat1"
PAGES = {
    "": SEES, "members/new/": KEEPS, "edit/": KEEPS, "members.csv": KEEPS, "roster/": "staff1 staff2",
    "invitation/": "chair1 evaluator1 evaluator2 evaluator3 evaluator4",
    "invitation/decline/": "", "invitation/letter.pdf": "chair1 evaluator1 evaluator2 evaluator3 evaluator4",
}  # fmt: skip
NAMED = "staff1 staff2 secretariat1 chair1 po1 auditor1 jst1 jst2"


def _statuses(cast, path):
    return {name: signed_in(user).get(path).status_code for name, user in cast.items()}


@pytest.mark.parametrize("path", sorted(PAGES))
def test_panel_pages_when_asked_by_everybody_then_the_table_is_right(cast, made, url, path):
    may = PAGES[path].split()
    sees = PAGES["invitation/"].split() if path.startswith("invitation/") else SEES.split()
    assert _statuses(cast, url + path) == {
        name: 200 if name in may else 403 if name in sees else 404 for name in cast
    }  # fmt: skip


def test_member_pages_when_asked_by_everybody_then_the_table_is_right(cast, made, url):
    member = made.members["evaluator2"]
    sees = [*NAMED.split(), "evaluator2"]
    for path in ("end/", "letter.pdf"):
        expected = {name: 200 if name in KEEPS.split() else 403 if name in sees else 404 for name in cast}
        assert _statuses(cast, f"{url}members/{member.ref}/{path}") == expected, path
    case = _statuses(cast, f"/cases/{made.cases[FLAGSHIPS[1]].ref}/expertise/")
    assert {name for name, status in case.items() if status == 200} == set(KEEPS.split())


def test_posts_when_sent_by_whoever_may_not_then_refused_and_nothing_changes(cast, made, url):
    member = proposed(cast, made, url)
    Round.objects.filter(pk=made.round.pk).update(roster_release_on=timezone.localdate())
    propose_roster_release(made.panel, release_on=timezone.localdate(), by=cast["staff1"], at=timezone.now())
    posts = (
        f"{url}members/{member.ref}/approve/",
        f"{url}roster/approve/",
        f"{url}invitation/",
        f"{url}invitation/decline/",
    )
    for path in posts:
        for name, user in cast.items():
            if name == "staff2":
                continue
            answer = signed_in(user).post(path, {"reason": "x", "pledge": "on", "shown": pledge_of(made.panel)})
            assert answer.status_code in (403, 404), (path, name)
    member.refresh_from_db()
    made.panel.roster_release.refresh_from_db()
    assert (member.approved_by, made.panel.roster_release.approved_by) == (None, None)
    assert PanelMember.objects.filter(panel=made.panel, state="accepted").count() == 5


@pytest.mark.parametrize("count", [1, 3])
def test_pages_when_there_are_more_rows_then_the_queries_are_the_same(cast, twin, count, django_assert_num_queries):
    made = make_round(cast, twin, projects=FLAGSHIPS[:count], evaluators=count)
    release(made, cast)
    staff = signed_in(cast["staff1"])
    with django_assert_num_queries(14):
        staff.get(f"/panels/{made.panel.ref}/")
    with django_assert_num_queries(9):
        staff.get(f"/panels/{made.panel.ref}/members/new/")
    with django_assert_num_queries(2):
        Client().get(f"/public/rounds/{made.round.ref}/")


# The public roster ----------------------------------------------------------------------------------------------------


def test_roster_when_released_then_public_as_page_and_json_and_before_that_nothing(cast, made):
    paths = (f"/public/rounds/{made.round.ref}/", f"/public/rounds/{made.round.ref}.json")
    assert [Client().get(path).status_code for path in paths] == [404, 404]
    release(made, cast, on=timezone.localdate() + timedelta(days=1))
    assert [Client().get(path).status_code for path in paths] == [404, 404]
    release(made, cast)
    page, data = (Client().get(path) for path in paths)
    assert (page.status_code, data.status_code, Client().post(paths[0]).status_code) == (200, 200, 405)
    assert Client().get(paths[0], {"q": "1"}).status_code == 400
    content = json.loads(data.content)
    assert [one["role"] for one in content["roster"]] == ["chair", "member", "member", "member", "member"]
    assert sorted(content["roster"][0]) == ["institution", "name", "office", "position", "role"]
    assert content["is_sample"] is True
    assert "CASE-" not in page.content.decode() + data.content.decode()


def test_roster_when_a_director_took_the_chair_then_it_says_so(cast, made):
    Round.objects.filter(pk=made.round.pk).update(chair_source="program_director")
    release(made, cast)
    data = json.loads(Client().get(f"/public/rounds/{made.round.ref}.json").content)
    assert (
        data["roster"][0]["office"]["ja"].endswith("(所管PD)")
        or "program director" in data["roster"][0]["office"]["ja"]
    )


# No evaluator's name reaches a team -----------------------------------------------------------------------------------

CANARIES = {"name_ja": "椋鳥{n}号", "name_en": "Canary{n}", "name_kana": "ムクドリ{n}"}
TEAM = ("pi1", "hq1", "coinvestigator1", "office1", "accountant1")


@pytest.fixture
def canaries(cast, made):
    """Unique words in the names and addresses of all who evaluate."""
    words = []
    for number, member in enumerate(made.members.values()):
        person = {name: text.format(n=f"{number:04}") for name, text in CANARIES.items()}
        Person.objects.filter(pk=member.person_id).update(**person)
        User.objects.filter(person_id=member.person_id).update(email=f"canary{number:04}@birds.example")
        words += [*person.values(), f"canary{number:04}@"]
    return words


def _addresses(made, twin):
    """Every address of the portal that a GET opens, with each kind of record that stands in this round."""
    f1 = FLAGSHIPS[0]
    refs = {
        "rounds": [made.round.ref], "panels": [made.panel.ref], "public": [made.round.ref],
        "cases": [case.ref for case in made.cases.values()], "reviews": [case.ref for case in made.cases.values()],
        "gates": [review.ref for review in made.reviews.values()], "projects": [f1, FLAGSHIPS[1]],
        "areas": ["sample-ql1"], "programs": ["q-leap-sample"],
    }  # fmt: skip
    member = made.members["evaluator2"].ref
    for pattern in portal.urls.urlpatterns:
        assert isinstance(pattern, URLPattern)
        route = str(pattern.pattern)
        if route.startswith("sign-in"):
            continue
        for ref in refs.get(route.split("/")[0], [""]):
            filled = route.replace("<slug:ref>", ref).replace("<slug:member>", member).replace("<slug:kind>", "letter")
            yield "/" + re.sub(r"<int:\w+>", "1", re.sub(r"<(slug|path|str):\w+>", "goal", filled))


@pytest.mark.parametrize("is_released", [False, True])
def test_names_when_a_team_opens_every_page_then_on_none_but_the_public_roster(cast, twin, made, canaries, is_released):
    if is_released:
        release(made, cast)
    addresses = sorted(set(_addresses(made, twin)))
    assert len(addresses) > 100
    public = {f"/public/rounds/{made.round.ref}/", f"/public/rounds/{made.round.ref}.json"}
    opened = set()
    for name in TEAM[:1] if is_released else TEAM:
        client = signed_in(again(cast[name]))
        for path in addresses:
            answer = client.get(path)
            if answer.status_code == 200:
                opened.add(path)
                text = b"".join(answer) if answer.streaming else answer.content
                leaked = [word for word in canaries if word.encode() in text]
                assert bool(leaked) is (path in public), (name, path, leaked[:3])
    assert {f"/projects/{FLAGSHIPS[0]}/", f"/gates/{made.reviews[FLAGSHIPS[0]].ref}/", "/gates/"} <= opened
    assert (public <= opened) is is_released
    seen = signed_in(cast["staff1"]).get(f"/panels/{made.panel.ref}/").content.decode()
    assert canaries[0] in seen


@pytest.mark.parametrize("path", ["/search/?q=", "/gates/?q=", "/projects/?q=", "/reports/?q="])
def test_names_when_a_team_searches_for_them_then_nothing_is_found(cast, made, canaries, path):
    client = signed_in(again(cast["pi1"]))
    for word in canaries[:4]:
        nothing = "".join("0" if one.isascii() else "零" for one in word)
        found, empty = (client.get(path + quote(text)).content.decode() for text in (word, nothing))
        for text, page in ((word, found), (nothing, empty)):
            assert text in page or quote(text) in page
        plain = [
            re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page).replace(text, "").replace(quote(text), "")
            for text, page in ((word, found), (nothing, empty))
        ]
        assert plain[0] == plain[1]


def test_pairing_when_the_roster_is_public_then_nowhere_for_a_team(cast, twin, made, canaries):
    made.assign(FLAGSHIPS[0], "evaluator2", "evaluator3", by=cast["staff1"])
    release(made, cast)
    pages = [Client().get(f"/public/rounds/{made.round.ref}{end}").content.decode() for end in ("/", ".json")]
    project = Project.objects.get(ref=FLAGSHIPS[0])
    for word in (made.cases[FLAGSHIPS[0]].ref, made.reviews[FLAGSHIPS[0]].ref, project.ref, project.title_ja):
        assert not any(word in page for page in pages)
