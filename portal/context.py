"""What the frame of every page shows: navigation by permission, version, contact."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from accounts.rules import may_enter_admin
from evaluations.rules.rounds import may_see_rounds
from evaluations.rules.score_sheets import is_evaluator
from programs.rules import may_see_portfolio

VERSION = "0.1"


def frame(request: HttpRequest) -> dict[str, Any]:
    """This function will return the frame's values for the templates; the navigation is worked out when it is drawn."""
    user = getattr(request, "user", None)
    return {
        "frame": {
            "version": VERSION,
            "contact": settings.CONTACT_EMAIL,
            "shows_portfolio": lambda: bool(user and user.is_authenticated and may_see_portfolio(user)),
            "shows_reviews": lambda: bool(user and user.is_authenticated and is_evaluator(user)),
            "shows_rounds": lambda: bool(user and user.is_authenticated and may_see_rounds(user)),
            "shows_admin": lambda: bool(user and user.is_authenticated and may_enter_admin(user)),
            "shows_components": settings.APP_ENVIRONMENT == "development",
        }
    }
