"""Addresses of the machine's door; every other one under /api/ is a problem, not a page."""

from django.urls import include, path, re_path

from api.oauth import TokenView
from api.views import Nowhere

urlpatterns = [
    path("oauth/token/", TokenView.as_view(), name="oauth-token"),
    path("v1/", include("api.v1.urls")),
    re_path(r"", Nowhere.as_view()),
]
