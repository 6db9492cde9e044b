"""Identity's internal pages: /wait and /status."""

from __future__ import annotations

from starlette.applications import Starlette

from services.runtime.internal import internal_app
from services.runtime.postgres import ServiceSchema
from services.runtime.settings import Settings


def internal(settings: Settings) -> Starlette:
    """The application."""
    return internal_app(settings, ServiceSchema.of("identity"))
