"""The evaluator's case in a real browser: by keyboard, saved by itself, in two tabs, without a network, handed in."""

from datetime import timedelta
from urllib.parse import urljoin

import pytest
from django.core.management import call_command
from django.utils import timezone
from playwright.sync_api import Page, expect

from evaluations.models import Round, ScoreSheet, SheetScore
from programs.models import Project
from reporting.sample_cast import cast_users
from tests.browser.conftest import OpenAs, violations
from tests.factories.rounds import FLAGSHIPS, RoundSet, make_round

F1, F2 = FLAGSHIPS[:2]
WORDS = "計画を上回る成果があり、根拠となる測定も示されている。"


@pytest.fixture
def made(site, standing, django_db_blocker):
    """A round being scored, committed for the server to see; taken away afterwards."""
    with django_db_blocker.unblock():
        cast = cast_users()
        whole = make_round(cast, {one.ref: one for one in Project.objects.filter(ref__in=FLAGSHIPS)})
        for project in (F1, F2):
            whole.assign(project, "evaluator2", "evaluator3", by=cast["staff1"])
        yield whole
        # Sheets are never deleted: the tables are emptied, as tests with transactions do.
        call_command("flush", verbosity=0, interactive=False)


def _url(made: RoundSet, project: str = F1) -> str:
    return f"/reviews/{made.cases[project].ref}/"


def _tab_to(page: Page, css: str) -> None:
    """Tab on until the element has the focus, as somebody without a mouse does."""
    for _ in range(80):
        if page.evaluate("css => document.activeElement.matches(css)", css):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{css} is not reached by Tab")


def test_sheet_when_filled_in_by_keyboard_alone_then_saved_by_itself_and_handed_in(
    open_as: OpenAs, made: RoundSet
) -> None:
    page = open_as("evaluator2", _url(made))
    assert violations(page) == []
    for code, key in (("goal", "a"), ("plan", "b"), ("team", "-")):
        _tab_to(page, f"[name=grade-{code}]")
        page.keyboard.press(key)
        _tab_to(page, f"#comment-{code}")
        page.keyboard.type(f"{code}: {WORDS}")
    line = page.locator("#sheet-line .save-state")
    expect(line).to_contain_text("3項目中3項目を記入", timeout=10_000)
    expect(line).to_contain_text("3.63")
    _tab_to(page, "button[value=submit]")
    page.keyboard.press("Enter")
    page.wait_for_url("**/submit/")
    assert violations(page) == []
    _tab_to(page, "main form button.primary")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{_url(made)}")
    sheet = ScoreSheet.objects.get()
    kept = dict(sheet.scores.values_list("item__code", "level__code"))
    assert (sheet.state, kept["goal"], kept["plan"], kept["team"]) == ("submitted", "a", "b", None)
    assert sheet.scores.get(item__code="team").is_not_applicable is True


def test_sheet_when_next_case_is_opened_by_its_key_then_what_was_typed_is_saved_first(
    open_as: OpenAs, made: RoundSet
) -> None:
    page = open_as("evaluator2", _url(made))
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.type), dialog.accept()))
    page.locator("#whole").fill(WORDS)
    page.keyboard.press("F9")
    page.wait_for_url(f"**{_url(made, F2)}")
    assert (ScoreSheet.objects.get().comment, dialogs) == (WORDS, [])
    page.keyboard.press("F8")
    page.wait_for_url(f"**{_url(made)}")
    expect(page.locator("#whole")).to_have_value(WORDS)


def test_sheet_when_open_in_two_tabs_then_the_other_tab_is_not_overwritten_unasked(
    open_as: OpenAs, made: RoundSet
) -> None:
    first, second = (open_as("evaluator2", _url(made)) for _ in range(2))
    first.check("[name=grade-goal][value=a]")
    expect(first.locator("#sheet-line .save-state")).to_contain_text("保存しました", timeout=10_000)
    second.locator("#comment-goal").fill("二つ目のタブの意見")
    line = second.locator("#sheet-line")
    expect(line.locator("button[name=over]")).to_be_visible(timeout=10_000)
    assert violations(second) == []
    # Who types on without answering is asked again, and nothing of the first tab is lost by it.
    with second.expect_response(lambda response: response.request.method == "POST") as again:
        second.locator("#comment-goal").press_sequentially("。")
    assert again.value.status == 409
    assert SheetScore.objects.get(item__code="goal").level.code == "a"
    second.check("[name=grade-goal][value=b]")
    expect(line.locator("button[name=over]")).to_be_visible(timeout=10_000)
    line.locator("button[name=over]").click()
    expect(line.locator(".save-state")).to_contain_text("保存しました", timeout=10_000)
    score = SheetScore.objects.get(item__code="goal")
    assert (score.level.code, score.comment) == ("b", "二つ目のタブの意見。")


def test_sheet_when_the_network_is_away_then_grades_and_words_are_offered_again(
    open_as: OpenAs, made: RoundSet
) -> None:
    page = open_as("evaluator2", _url(made), width=360)
    page.context.set_offline(True)
    page.check("[name=grade-plan][value=c]")
    page.locator("#whole").fill(WORDS)
    expect(page.locator("#sheet-line .save-state")).to_contain_text("保存できませんでした", timeout=10_000)
    page.context.set_offline(False)
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    page.locator("[data-draft-offer] button").click()
    expect(page.locator("#whole")).to_have_value(WORDS)
    expect(page.locator("[name=grade-plan][value=c]")).to_be_checked()
    expect(page.locator("#sheet-line .save-state")).to_contain_text("保存しました", timeout=10_000)
    assert ScoreSheet.objects.get().comment == WORDS


def test_sheet_when_its_time_is_over_while_typing_then_said_beside_the_text(open_as: OpenAs, made: RoundSet) -> None:
    page = open_as("evaluator2", _url(made))
    Round.objects.filter(pk=made.round.pk).update(first_close_at=timezone.now() - timedelta(minutes=1))
    page.locator("#whole").fill(WORDS)
    expect(page.locator("#sheet-line [role=alert]")).to_contain_text("締め切りました", timeout=10_000)
    expect(page.locator("#whole")).to_have_value(WORDS)
    assert not ScoreSheet.objects.exists()


@pytest.mark.parametrize("width", [1280, 360, 320])
def test_case_when_seen_then_progress_stays_in_sight_and_nothing_runs_over(
    open_as: OpenAs, made: RoundSet, width: int
) -> None:
    page = open_as("evaluator2", _url(made), width=width)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    for place in ("window.scrollTo(0, 0)", "window.scrollTo(0, document.body.scrollHeight)"):
        page.evaluate(place)
        expect(page.locator("#sheet-line")).to_be_in_viewport()
    # The bar never covers what has the focus.
    button = page.locator("button[data-save]")
    button.focus()
    box, bar = button.bounding_box(), page.locator("#sheet-line").bounding_box()
    assert box is not None
    assert bar is not None
    assert box["y"] + box["height"] <= bar["y"]
    assert violations(page) == []
    page.goto(urljoin(page.url, "/reviews/"))
    assert violations(page) == []
