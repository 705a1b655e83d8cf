"""Every page names its permission; every address of the portal is one of them."""

import pytest
from django.urls import URLPattern, get_resolver

import portal.urls
from portal.access import PAGES


def _portal_views() -> list[str]:
    names = []
    for pattern in portal.urls.urlpatterns:
        assert isinstance(pattern, URLPattern)
        view = pattern.callback
        names.append(f"{view.__module__}.{view.__qualname__}")
    return names


@pytest.mark.parametrize("name", sorted(set(_portal_views())))
def test_page_when_it_has_an_address_then_it_names_its_permission(name: str) -> None:
    assert PAGES.get(name), f"{name} has no @page(permission=...)"


def test_addresses_when_resolved_then_none_is_twice() -> None:
    routes = [str(p.pattern) for p in get_resolver("portal.urls").url_patterns]
    assert sorted(routes) == sorted(set(routes))
