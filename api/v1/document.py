"""The committed OpenAPI document, for everybody: it describes addresses and holds no data."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings
from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from api.filters import known_parameters
from api.views import ApiView, answer


@extend_schema(exclude=True)
class Document(ApiView):
    """Redrawn by `make docs`; a test keeps it fresh."""

    authentication_classes: ClassVar[list[Any]] = []
    permission_classes: ClassVar[list[Any]] = []
    throttle_classes: ClassVar[list[Any]] = []

    def get(self, request: Request) -> HttpResponseBase:
        known_parameters(request.query_params, frozenset())
        return answer(request, _document())


@cache
def _document() -> bytes:
    return (Path(settings.BASE_DIR) / "docs" / "openapi.json").read_bytes()
