"""The site: who gets in, the sign-in of the portal, and which rows of which table a reader may know of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import update_wrapper
from typing import Any

from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

#: Addresses of Django's own that the portal answers for, or that show an object without asking its admin.
NOT_HERE = {"login", "logout", "password_change", "password_change_done", "view_on_site"}

Visible = Callable[[Any], QuerySet[Any]]


def _nobody(user: object) -> bool:
    return False


class Site(admin.AdminSite):
    """Ministry staff change look-ups, auditors look; the roles of the day decide, no flag and no superuser."""

    site_header = gettext_lazy("Sekisho administration")
    site_title = gettext_lazy("Sekisho administration")
    index_title = gettext_lazy("Look-ups, people and records")
    enable_nav_sidebar = False

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        #: Set by the apps above; until then nobody gets in.
        self.may_enter: Callable[[Any], bool] = _nobody
        self.may_change: Callable[[Any], bool] = _nobody
        #: Journal rows in the words of the history pages; set by the portal.
        self.in_words: Callable[[Iterable[Any]], list[Any]] | None = None
        #: "app.model" > the rows about which this reader may see journal rows.
        self.subjects: dict[str, Visible] = {}
        self.disable_action("delete_selected")

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """This function will register one model and let the journal ask its admin which subjects are visible."""
        super().register(model_or_iterable, admin_class, **options)
        self.subjects[model_or_iterable._meta.label_lower] = self.get_model_admin(model_or_iterable).journaled  # type: ignore[attr-defined]

    def visible(self, model: type[Model], user: object) -> QuerySet[Any]:
        """This function will return the rows of a registered model that this reader sees in the admin."""
        return self.get_model_admin(model).visible(user)  # type: ignore[attr-defined]

    def has_permission(self, request: HttpRequest) -> bool:
        """This function will ask the roles of the day."""
        return self.may_enter(request.user)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """This function will guard a view: sign in at the portal's door, else a 403 that says why."""
        inner = super().admin_view(view, cacheable)

        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if not self.has_permission(request):
                why = _(
                    "The administration is for ministry staff and auditors. Ask the ministry's staff if you need it."
                )
                return render(request, "403.html", {"why": why}, status=403)
            try:
                return inner(request, *args, **kwargs)
            except PermissionDenied:
                why = _("Your roles let you look at this, not change it.")
                return render(request, "403.html", {"why": why}, status=403)

        return update_wrapper(guarded, view)

    def get_urls(self) -> list[Any]:
        """This function will leave out the addresses the portal answers for."""
        return [pattern for pattern in super().get_urls() if getattr(pattern, "name", None) not in NOT_HERE]


site = Site()
