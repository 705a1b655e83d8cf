"""Addresses: the portal, the API, sign-in, the admin, health."""

from django.urls import include, path

from common.admin import site
from config import health

handler404 = "portal.access.not_found"

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("api/", include("api.urls")),
    path("accounts/", include("allauth.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("admin/", site.urls),
    path("", include("portal.urls")),
]
