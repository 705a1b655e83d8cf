"""The implementation policy of an area: what is in force, its versions, what differs, writing and putting in force."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.access import BadQuery, clock, not_found, page
from portal.directors import find_area
from portal.forms.director import ReasonForm
from portal.forms.plans import Refusable
from portal.forms.policy import EffectForm
from portal.lists import as_download
from portal.texts import SavedText, TextState, save_text
from portal.visits import done_by_form
from programs.actions import policies as actions
from programs.documents import policy_file_name, policy_pdf
from programs.models import PolicyVersion, ResearchArea
from programs.policy_words import blocks_of, text_difference
from programs.queries.policies import policies_of_area, policies_visible_to, policy_on
from programs.rules.policies import LONGEST_POLICY, may_open_policy, policy_actions, submission_blockers

BOTH = ("GET", "HEAD", "POST")
KEYS = ("ref", "number")
_NOT_NOW = gettext_lazy("This step is not open to you in the policy's present state. Its page says who acts next.")


def find_policy(user: Any, ref: str, number: int) -> Any:
    """This function will return the version of the area's policy, if the reader may read it."""
    return policies_visible_to(user).filter(area__ref=ref, number=number)


def _may(permission: str) -> Callable[[Any, Any], bool]:
    return lambda user, version: permission in policy_actions(user, version)


def policy_url(version: PolicyVersion) -> str:
    """This function will return the version's address."""
    return reverse("policy", args=[version.area.ref, version.number])


# Reading --------------------------------------------------------------------------------------------------------------


@page(permission="area.view", find=find_area)
def area_policy(request: HttpRequest, area: ResearchArea) -> HttpResponseBase:
    """This function will show the policy in force today and all versions that the reader may read."""
    versions = policies_of_area(request.user, area)
    current = policy_on(versions, localdate(clock(request)))
    context = {
        "area": area,
        "versions": versions,
        "current": current,
        "blocks": blocks_of(current.text) if current else [],
        "may_open": may_open_policy(request.user, area),
        "is_sample": area.is_sample,
    }
    return render(request, "portal/policies/area.html", context)


WAITING = {
    "drafting": gettext_lazy("Waiting for the program director to write and hand it in."),
    "returned": gettext_lazy("Waiting for the program director to revise and hand it in again."),
    "submitted": gettext_lazy("Waiting for the program's ministry staff to put it in force or return it."),
    "in_force": gettext_lazy("Nothing is open. A change is a new version."),
    "withdrawn": gettext_lazy("Nothing is open. A new version can be begun."),
}


def text_state(version: PolicyVersion) -> TextState:
    """This function will return the text as it is kept."""
    return TextState(version.text, version.revision, version.saved_at, version.saved_by)


def _text(version: PolicyVersion) -> SavedText:
    return SavedText(
        url=reverse("policy_text", args=[version.area.ref, version.number]),
        key=version.ref,
        label=_("Text of the policy"),
        limit=LONGEST_POLICY,
        state=text_state(version),
        help=_("A line that begins with # or ■ is a heading. The text saves itself while you write."),
        rows=24,
    )


def _show(
    request: HttpRequest, version: PolicyVersion, text: SavedText | None = None, status: int = 200
) -> HttpResponse:
    allowed = policy_actions(request.user, version)
    base = version.base
    context = {
        "version": version,
        "area": version.area,
        "allowed": {name.removeprefix("policy.") for name in allowed},
        "waiting_for": WAITING[version.state],
        "blockers": submission_blockers(version) if "policy.submit" in allowed else [],
        "text": (text or _text(version)) if "policy.edit" in allowed else None,
        "blocks": blocks_of(version.text),
        "base": base,
        "changes": text_difference(base.text, version.text) if base else [],
        "is_sample": version.is_sample,
    }
    return render(request, "portal/policies/page.html", context, status=status)


@page(permission="policy.view", find=find_policy, key=KEYS)
def policy_page(request: HttpRequest, version: PolicyVersion) -> HttpResponseBase:
    """This function will show one version; who writes it finds the text in a field that saves itself."""
    return _show(request, version)


@page(permission="policy.export", find=find_policy, key=KEYS, may=_may("policy.view"))
def policy_document(request: HttpRequest, version: PolicyVersion) -> HttpResponseBase:
    """This function will hand the version out as PDF."""
    response = HttpResponse(policy_pdf(version), content_type="application/pdf")
    return as_download(response, policy_file_name(version))


@page(permission="area.view", find=find_area, params=("before", "after"))
def policy_difference(request: HttpRequest, area: ResearchArea) -> HttpResponseBase:
    """This function will show what differs between two versions that the reader may read."""
    versions = policies_of_area(request.user, area)
    if len(versions) < 2:
        return not_found(request)
    after = _chosen(request, "after", versions, versions[0])
    before = _chosen(request, "before", versions, versions[1])
    context = {
        "area": area,
        "versions": versions,
        "before": before,
        "after": after,
        "changes": text_difference(before.text, after.text),
        "is_sample": area.is_sample,
    }
    return render(request, "portal/policies/difference.html", context)


def _chosen(request: HttpRequest, name: str, versions: list[PolicyVersion], default: PolicyVersion) -> PolicyVersion:
    wanted = request.GET.get(name)
    if wanted is None:
        return default
    for one in versions:
        if str(one.number) == wanted:
            return one
    raise BadQuery(_("Choose two versions of the list."))


# Writing --------------------------------------------------------------------------------------------------------------


@page(
    permission="policy.open",
    find=find_area,
    may=may_open_policy,
    why=gettext_lazy("The program director begins a version, and only while no other one is open."),
    methods=("POST",),
)
def policy_open(request: HttpRequest, area: ResearchArea) -> HttpResponseBase:
    """This function will begin the next version as a copy of the newest one."""
    version = actions.open_policy(area, by=request.user, at=clock(request))  # type: ignore[arg-type]
    messages.success(request, _("Version %(number)s is open for writing.") % {"number": version.number})
    return redirect(policy_url(version))


@page(permission="policy.edit", find=find_policy, key=KEYS, may=_may("policy.edit"), why=_NOT_NOW, methods=("POST",))
def policy_text(request: HttpRequest, version: PolicyVersion) -> HttpResponseBase:
    """This function will save the text; in part of the page with htmx, else with a reload."""

    def save(text: str, revision: int) -> TextState:
        how: dict[str, Any] = {"by": request.user, "at": clock(request)}
        return text_state(actions.save_policy(version, text=text, revision=revision, **how))

    return save_text(
        request, _text(version), save, text_state, lambda shown, status: _show(request, version, shown, status),
        back_to=policy_url(version),
    )  # fmt: skip


# Acts -----------------------------------------------------------------------------------------------------------------


def _act(
    request: HttpRequest, version: PolicyVersion, form: Refusable, act: Callable[..., Any], words: dict[str, Any]
) -> HttpResponseBase:
    how: dict[str, Any] = {"by": request.user, "at": clock(request)}
    if (
        request.method == "POST"
        and form.is_valid()
        and done_by_form(form, lambda: act(version, **form.cleaned_data, **how))
    ):
        messages.success(request, words["done"])
        return redirect(policy_url(version))
    context = {"version": version, "area": version.area, "form": form, **words, "is_sample": version.is_sample}
    return render(request, "portal/policies/act.html", context, status=422 if form.errors else 200)


def _given(request: HttpRequest) -> Any:
    return request.POST if request.method == "POST" else None


@page(permission="policy.submit", find=find_policy, key=KEYS, may=_may("policy.submit"), why=_NOT_NOW, methods=BOTH)
def policy_submit(request: HttpRequest, version: PolicyVersion) -> HttpResponseBase:
    """This function will ask once, then hand the version to the ministry."""
    words = {
        "heading": _("Hand this policy to the ministry?"),
        "button": _("Hand the policy in"),
        "done": _("The policy is with the ministry's staff of the program."),
        "effects": [_("Nobody can write in it until it is returned."), _("Another person puts it in force.")],
    }
    return _act(request, version, Refusable(data=_given(request)), actions.submit_policy, words)


@page(
    permission="policy.put_in_force", find=find_policy, key=KEYS, may=_may("policy.put_in_force"), why=_NOT_NOW,
    methods=BOTH,
)  # fmt: skip
def policy_put_in_force(request: HttpRequest, version: PolicyVersion) -> HttpResponseBase:
    """This function will put the version in force from a day."""
    words = {
        "heading": _("Put this policy in force?"),
        "button": _("Put the policy in force"),
        "done": _("The policy is in force from the day you entered."),
        "effects": [
            _("Everybody who may see the area reads it from now on."),
            _("It can never be changed after that; a change is a new version."),
        ],
    }
    return _act(request, version, EffectForm(data=_given(request)), actions.put_policy_in_force, words)


@page(permission="policy.return", find=find_policy, key=KEYS, may=_may("policy.return"), why=_NOT_NOW, methods=BOTH)
def policy_return(request: HttpRequest, version: PolicyVersion) -> HttpResponseBase:
    """This function will return the version to the director with the reason."""
    words = {
        "heading": _("Return this policy to the program director?"),
        "button": _("Return the policy"),
        "done": _("The policy was returned to the program director."),
        "effects": [_("The program director can write in it again and reads your reason.")],
    }
    return _act(request, version, ReasonForm(data=_given(request)), actions.return_policy, words)


@page(permission="policy.withdraw", find=find_policy, key=KEYS, may=_may("policy.withdraw"), why=_NOT_NOW, methods=BOTH)
def policy_withdraw(request: HttpRequest, version: PolicyVersion) -> HttpResponseBase:
    """This function will withdraw a version that is not in force."""
    words = {
        "heading": _("Withdraw this version?"),
        "button": _("Withdraw the version"),
        "done": _("The version was withdrawn."),
        "effects": [_("It stays on record as withdrawn; another version can be begun.")],
    }
    return _act(request, version, Refusable(data=_given(request)), actions.withdraw_policy, words)
