"""Who reads what over the pages: proposed, looked at, changed by hand and by file, confirmed, declined, replaced."""

import csv
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from django.utils.translation import override

from accounts.models import Organization
from common.models import JournalEntry
from evaluations.actions.assignment_runs import run_assignment
from evaluations.models import Assignment, AssignmentRun, Expertise, Panel, PanelMember, Round
from evaluations.queries.assignments import case_name, cases_overseen_by, seating_of
from portal.assignment_words import _figure, shortfalls_told
from programs.actions.recusals import recuse
from tests.cast import again
from tests.factories.rounds import FLAGSHIPS, make_round

pytestmark = pytest.mark.django_db
F1, F2, F3 = FLAGSHIPS[:3]


@pytest.fixture
def made(cast, twin):
    return make_round(cast, twin)


@pytest.fixture
def url(made):
    return f"/panels/{made.panel.ref}/assignment/"


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


def computed(client, url, path="propose/", **typed):
    response = client.post(f"{url}{path}", {"seed": "1", "forbid_percent": "0", **typed})
    assert response.status_code == 302, response.content.decode()
    run = AssignmentRun.objects.latest("pk")
    run_assignment(run.pk, clock=timezone.now)
    return run


def confirmed(client, url):
    form = client.get(f"{url}confirm/").context["form"]
    response = client.post(f"{url}confirm/", {"seen": form["seen"].value()})
    assert response.status_code == 302, response.content.decode()


def standing(made, project):
    return Assignment.objects.filter(case=made.cases[project], state__in=("proposed", "confirmed"))


def test_assignment_when_proposed_and_confirmed_then_the_page_says_where_it_stands(cast, made, url):
    client = signed_in(cast["chair1"])
    assert url in client.get("/").content.decode()
    computed(client, url)
    text = client.get(url).content.decode()
    assert all(words in text for words in ("9", "HiGHS", "△" if "△" in text else "", made.cases[F1].ref))
    assert f"{url}confirm/" in text
    confirmed(client, url)
    assert set(Assignment.objects.filter(case__panel=made.panel).values_list("state", flat=True)) == {"confirmed"}
    assert f"{url}confirm/" not in client.get(url).content.decode()


def test_progress_when_computed_then_polled_and_the_page_is_loaded_again(cast, made, url):
    client = signed_in(cast["chair1"])
    client.post(f"{url}propose/", {"seed": "1", "forbid_percent": "0"})
    assert 'hx-trigger="every 2s"' in client.get(url).content.decode()
    part = client.get(f"{url}progress/", headers={"HX-Request": "true"})
    assert (part.status_code, "<html" in part.content.decode()) == (200, False)
    AssignmentRun.objects.update(
        state="running", progress={"stage": "price", "round": 3, "pairs": 21, "rules": 0, "worth": 1}
    )
    assert "21" in client.get(f"{url}progress/", headers={"HX-Request": "true"}).content.decode()
    run_assignment(AssignmentRun.objects.get().pk, clock=timezone.now)
    done = client.get(f"{url}progress/", headers={"HX-Request": "true"})
    assert (done.status_code, done["HX-Refresh"]) == (204, "true")
    assert client.get(f"{url}progress/")["Location"] == url
    assert 'hx-trigger="every 2s"' not in client.get(url).content.decode()


def test_assignment_when_it_cannot_be_met_then_says_which_rule_and_by_how_much(cast, made, url):
    Round.objects.filter(pk=made.round.pk).update(cases_per_reader_max=1)
    field = Expertise.objects.filter(panel=made.panel).first()
    made.cases[F3].expertises.add(field)
    client = signed_in(cast["chair1"])
    computed(client, url)
    response = client.get(url, headers={"Accept-Language": "en"})
    said = " ".join(response.context["short"])
    assert "9" in said
    assert "7" in said
    assert field.name in said
    assert len(response.context["short"]) >= 3


@pytest.mark.parametrize(
    ("typed", "status"),
    [
        ({"seed": "x"}, 422),
        ({"seed": "-1"}, 422),
        ({"forbid_percent": "51"}, 422),
        ({"seed": "1", "forbid_percent": "5"}, 302),
    ],
)
def test_proposal_when_the_form_is_wrong_then_said_beside_the_field(cast, made, url, typed, status):
    client = signed_in(cast["chair1"])
    response = client.post(f"{url}propose/", {"seed": "1", "forbid_percent": "0", **typed})
    assert (response.status_code, AssignmentRun.objects.count()) == (status, int(status == 302))


def test_confirmation_when_changed_since_then_refused_and_nothing_counts(cast, made, url):
    client = signed_in(cast["chair1"])
    computed(client, url)
    seen = client.get(f"{url}confirm/").context["form"]["seen"].value()
    case = f"{url}cases/{made.cases[F2].ref}/"
    row = standing(made, F2).first()
    assert client.post(case, {"act": "remove", "reader": row.ref}).status_code == 302
    stale = client.post(f"{url}confirm/", {"seen": seen, "though_thin": "on"})
    assert (stale.status_code, standing(made, F2).filter(state="confirmed").exists()) == (422, False)
    # The page shows the proposal as it is now: confirming once more confirms just that.
    now = stale.context["form"]["seen"].value()
    assert now != seen
    assert client.post(f"{url}confirm/", {"seen": now, "though_thin": "on"}).status_code == 302


def test_confirmation_when_readers_are_missing_then_warned_and_asked(cast, made, url):
    client = signed_in(cast["chair1"])
    computed(client, url)
    assert client.get(f"{url}confirm/").context["act"].warnings == []
    assert client.post(f"{url}cases/{made.cases[F2].ref}/", {"act": "remove", "reader": standing(made, F2)[0].ref})
    page = client.get(f"{url}confirm/")
    (warning,) = page.context["act"].warnings
    assert ("2" in warning, "3" in warning, warning in page.content.decode()) == (True, True, True)
    seen = page.context["form"]["seen"].value()
    refused = client.post(f"{url}confirm/", {"seen": seen})
    assert (refused.status_code, bool(refused.context["form"].errors["though_thin"])) == (422, True)
    assert not standing(made, F2).filter(state="confirmed").exists()
    assert client.post(f"{url}confirm/", {"seen": seen, "though_thin": "on"}).status_code == 302
    assert standing(made, F2).filter(state="confirmed").count() == 2


def test_worth_when_below_zero_then_written_with_a_triangle():
    assert (_figure(-243.04), _figure(0.791), _figure(-0.001)) == ("△243.04", "0.79", "0.00")


def test_assignment_when_all_members_are_of_one_institution_then_says_so_with_figures(cast, made, url):
    PanelMember.objects.filter(panel=made.panel).update(
        organization=Organization.objects.filter(is_sample=True).first()
    )
    client = signed_in(cast["chair1"])
    computed(client, url)
    with override("en"):
        seating = seating_of(Panel.objects.get(pk=made.panel.pk), cases_overseen_by(cast["chair1"], made.panel))
        said = next(one for one in shortfalls_told(seating) if case_name(made.cases[F2]) in one)
    assert "lacks 2 of 3 readers" in said
    assert "Of 7 members: of an institution that reads it already 6." in said
    assert "the 7 are of 1 institutions, 2 too few" in said
    with override("en"):
        first = next(one for one in shortfalls_told(seating) if case_name(made.cases[F1]) in one)
    assert "in conflict 1、of an institution that reads it already 5" in first


def test_case_when_changed_by_hand_then_each_change_is_told(cast, made, url):
    client = signed_in(cast["chair1"])
    case = f"{url}cases/{made.cases[F2].ref}/"
    member = made.members["evaluator2"]
    response = client.post(case, {"act": "add", "member": member.ref, "role": "reader"}, follow=True)
    assert member.person.name in " ".join(str(one) for one in response.context["messages"])
    row = standing(made, F2).get()
    for typed in ({"act": "unpin"}, {"act": "pin"}, {"act": "role", "role": "primary"}):
        assert client.post(case, {**typed, "reader": row.ref}).status_code == 302
    row.refresh_from_db()
    assert (row.role, row.is_pinned) == ("primary", True)
    assert client.post(case, {"act": "add", "member": member.ref, "role": "reader"}).status_code == 422
    assert client.post(case, {"act": "add", "member": "PM-NOBODY", "role": "reader"}).status_code == 422
    assert client.post(case, {"act": "role", "reader": row.ref, "role": "x"}).status_code == 422
    assert client.post(case, {"act": "x", "reader": row.ref}).status_code == 400
    assert client.post(case, {"act": "remove", "reader": row.ref}).status_code == 302
    assert not standing(made, F2).exists()


def test_case_when_a_member_is_in_conflict_then_marked_and_refused(cast, made, url):
    client = signed_in(cast["chair1"])
    case, member = f"{url}cases/{made.cases[F1].ref}/", made.members["evaluator1"]
    assert [row[0].member for row in client.get(case).context["closed"]] == [member]
    assert client.post(case, {"act": "add", "member": member.ref, "role": "reader"}).status_code == 422
    assert not standing(made, F1).exists()


# CSV ------------------------------------------------------------------------------------------------------------------


def lines_of(made, *rows):
    out = io.StringIO()
    csv.writer(out).writerows([["案件", "委員", "役割"], *rows])
    return out.getvalue().encode("utf-8-sig")


def sent(client, url, content, name="a.csv"):
    return client.post(f"{url}sheet/", {"file": SimpleUploadedFile(name, content)})


def test_file_when_out_and_in_again_then_nothing_differs(cast, made, url):
    client = signed_in(cast["chair1"])
    computed(client, url)
    content = b"".join(client.get(f"{url}assignment.csv").streaming_content)
    assert content.startswith(b"\xef\xbb\xbf")
    assert len(content.decode().splitlines()) == 10
    response = sent(client, url, content)
    assert (response.status_code, response.context["found"].changes) == (200, [])


def test_file_when_confirmed_then_all_of_it_is_written_and_pinned(cast, made, url):
    client = signed_in(cast["chair1"])
    computed(client, url)
    case = made.cases[F2]
    names = ("evaluator1", "evaluator3")
    content = lines_of(
        made, *([case.ref, made.members[n].ref, r] for n, r in zip(names, ("主", "reader"), strict=True))
    )
    others = set(Assignment.objects.exclude(case=case).values_list("pk", "state"))
    response = sent(client, url, content)
    assert response.status_code == 200
    assert Assignment.objects.filter(case=case, state="proposed").count() == 3  # a dry run writes nothing
    steps = response.context["steps"]
    assert client.post(f"{url}sheet/", {"steps": steps}).status_code == 302
    rows = standing(made, F2).values_list("member", "role", "is_pinned")
    assert set(rows) == {
        (made.members["evaluator1"].pk, "primary", True),
        (made.members["evaluator3"].pk, "reader", True),
    }
    assert set(Assignment.objects.exclude(case=case).values_list("pk", "state")) == others
    assert client.post(f"{url}sheet/", {"steps": steps}).status_code == 409  # the assignment has changed since
    assert client.post(f"{url}sheet/", {"steps": steps[:-2]}).status_code == 400


def test_file_when_lines_are_wrong_then_each_is_named_and_nothing_written(cast, made, url):
    PanelMember.objects.filter(pk=made.members["evaluator5"].pk).update(cases_max=1)
    client, member = signed_in(cast["chair1"]), made.members
    one, two, three = (made.cases[f].ref for f in (F1, F2, F3))
    content = lines_of(
        made,
        ["CASE-NONE", member["evaluator2"].ref, "reader"],
        [one, "PM-NONE", "reader"],
        [one, member["evaluator2"].ref, "boss"],
        [one, member["evaluator1"].ref, "reader"],
        [two, member["evaluator2"].ref, "primary"],
        [two, member["evaluator2"].ref, "reader"],
        [two, member["evaluator3"].ref, "primary"],
        [two, member["evaluator5"].ref, "reader"],
        [three, member["evaluator5"].ref, "reader"],
    )
    response = sent(client, url, content)
    assert response.status_code == 422
    assert [one.line for one in response.context["found"].errors] == [2, 3, 4, 5, 7, 8, 10]
    assert not Assignment.objects.exists()


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00", "案件,委員\n1,2\n".encode(), "案件,委員,役割\n".encode(), b'a"b,"c']
)
def test_file_when_it_is_no_such_table_then_said_beside_the_field(cast, made, url, content):
    assert sent(signed_in(cast["chair1"]), url, content).status_code == 422


# Declining ------------------------------------------------------------------------------------------------------------


def test_reader_when_declining_then_the_chair_has_a_replacement_proposed(cast, made, url):
    chair = signed_in(cast["chair1"])
    computed(chair, url)
    confirmed(chair, url)
    row = standing(made, F2).get(role="secondary")
    user = next(one for one in cast.values() if one.person_id == row.member.person_id)
    reader, page = signed_in(user), f"/reviews/{made.cases[F2].ref}/"
    assert f"{page}decline/" in reader.get(page).content.decode()
    assert reader.post(f"{page}decline/", {"reason": ""}).status_code == 422
    assert reader.post(f"{page}decline/", {"reason": "急な入院"}).status_code == 302
    assert reader.get(page).status_code == 404
    text = chair.get(url).content.decode()
    assert "急な入院" in text
    assert f"{url}repair/" in text
    computed(chair, url, "repair/")
    new = standing(made, F2).get(state="proposed")
    assert (new.replaces, new.role) == (row, "secondary")
    confirmed(chair, url)
    assert chair.get(f"{url}repair/").status_code == 200
    assert chair.post(f"{url}repair/").status_code == 422  # nobody is missing any more


# Who sees it ----------------------------------------------------------------------------------------------------------

SEES = {"chair1", "secretariat1", "staff1", "staff2", "auditor1"}
PAGES = {
    "": SEES, "progress/": SEES, "assignment.csv": SEES, "cases/{case}/": SEES, "propose/": {"chair1"},
    "repair/": {"chair1"}, "confirm/": {"chair1"}, "sheet/": {"chair1"},
}  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_page_when_asked_by_each_of_the_cast_then_as_the_table_says(cast, made, url, path):
    address = url + path.format(case=made.cases[F1].ref)
    before = JournalEntry.objects.count()
    found = {name for name in cast if signed_in(cast[name]).get(address).status_code in (200, 302)}
    assert found == PAGES[path]
    for name in set(cast) - {"chair1"}:
        status = signed_in(cast[name]).post(address, {"act": "add", "seed": "1", "forbid_percent": "0"}).status_code
        assert status in ((403, 405) if name in SEES else (404, 405)), name
    assert JournalEntry.objects.count() == before
    assert not Assignment.objects.exists()


def test_chair_when_in_conflict_with_a_case_then_finds_it_on_no_channel(cast, made, twin, url):
    client = signed_in(cast["staff1"])
    computed(signed_in(cast["chair1"]), url)
    recuse(
        cast["chair1"].person, twin[F1], starts_on=timezone.localdate(), source_ref="COI-C", by=cast["staff1"],
        at=timezone.now(),
    )  # fmt: skip
    hidden = made.cases[F1].ref
    chair = signed_in(again(cast["chair1"]))
    assert hidden in client.get(url).content.decode()
    response = chair.get(url)
    assert hidden not in response.content.decode()
    assert (response.context["run"], response.context["proposed"], response.context["entries"]) == (None, 6, [])
    assert hidden not in b"".join(chair.get(f"{url}assignment.csv").streaming_content).decode()
    assert chair.get(f"{url}cases/{hidden}/").status_code == 404
    confirmed(chair, url)
    assert not standing(made, F1).filter(state="confirmed").exists()
    confirmed(client, url)  # the ministry's staff settle what nobody without a conflict heads
    assert standing(made, F1).filter(state="confirmed").count() in (2, 3)


@pytest.mark.parametrize("count", [1, 3])
def test_page_when_there_are_more_cases_then_the_queries_are_the_same(cast, twin, count, django_assert_num_queries):
    made = make_round(cast, twin, projects=FLAGSHIPS[:count])
    url = f"/panels/{made.panel.ref}/assignment/"
    client = signed_in(cast["chair1"])
    computed(client, url)
    with django_assert_num_queries(15):
        assert client.get(url).status_code == 200
    with django_assert_num_queries(12):
        assert client.get(f"{url}cases/{made.cases[F1].ref}/").status_code == 200


def test_seating_when_read_then_every_pair_without_a_conflict_is_open(cast, made):
    found = seating_of(Panel.objects.get(pk=made.panel.pk), cases_overseen_by(cast["staff1"], made.panel))
    closed = {(found.cases[case].pk, found.members[member].pk): code for (case, member), code in found.why.items()}
    assert closed == {(made.cases[F1].pk, made.members["evaluator1"].pk): "conflict"}


@pytest.mark.parametrize("value", ["0", "x", "4", "-1", ""])
def test_page_when_asked_for_cases_that_are_not_there_then_400(cast, made, url, value):
    assert signed_in(cast["chair1"]).get(f"{url}?from={value}").status_code == 400
