"""The copy a command talks to: its addresses, and asking them.

Owns turning a refusal, a lost connection or a copy that does not run into one clear line.
"""

from __future__ import annotations

import json
import os
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from services.ops.commands.failures import CommandError, NotRunning
from services.ops.commands.layout import WORKERS
from services.ops.local import marks
from services.ops.local.layout import home_from
from services.ops.local.state import State, load

TIMEOUT_S = 15.0
NEEDED = ("C360_INTAKE_URL", "C360_PROFILE_URL")


@dataclass(frozen=True, slots=True)
class Here:
    """A running copy. `internal` is the internal address of each service; URLs have no slash at the end."""

    home: Path
    kafka: str
    database_url: str
    intake: str
    profile: str
    internal: Mapping[str, str]


def here(environ: Mapping[str, str] = os.environ) -> Here:
    """The copy of C360_HOME, or the one the addresses of the environment name. Raises NotRunning."""
    home = home_from(environ)
    state = load(home)
    told = _told(state)
    if not any(marks.is_alive(state.mark(name)) for name in state.services):
        if not all(environ.get(name) for name in NEEDED):
            raise NotRunning()
        told = dict(environ)
    return Here(
        home=home,
        kafka=told.get("KAFKA_BOOTSTRAP", ""),
        database_url=told.get("DATABASE_URL", ""),
        intake=told["C360_INTAKE_URL"].rstrip("/"),
        profile=told["C360_PROFILE_URL"].rstrip("/"),
        internal={service: told.get(f"C360_{service.upper()}_INTERNAL_URL", "").rstrip("/") for service in WORKERS},
    )


def _told(state: State) -> dict[str, str]:
    """What the processes of this home were told; it is the same for all but their own ports."""
    return next((dict(spec.env) for spec in state.services.values() if "C360_INTAKE_URL" in spec.env), {})


def ask(
    method: str,
    url: str,
    *,
    key: str | None = None,
    timeout_s: float = TIMEOUT_S,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> httpx.Response:
    """One request, whatever its status. Raises NotRunning where nothing listens, CommandError."""
    given = {**({"Authorization": f"Bearer {key}"} if key else {}), **(headers or {})}
    try:
        return httpx.request(method, url, headers=given, timeout=timeout_s, trust_env=False, verify=_trust(), **more)
    except httpx.ConnectError:
        raise NotRunning(f"nothing answers at {_place(url)}; see `c360 status`") from None
    except httpx.HTTPError as error:
        raise CommandError(f"{_place(url)} does not answer: {type(error).__name__}") from None


@cache
def _trust() -> ssl.SSLContext:
    """Read once: reading the certificates takes ten times as long as a request."""
    return httpx.create_ssl_context(trust_env=False)


def ask_json(method: str, url: str, **more: Any) -> Any:
    """The JSON of a good answer. Raises CommandError with what the other side said of a bad one."""
    response = ask(method, url, **more)
    if response.is_success:
        return response.json() if response.content else None
    raise CommandError(said(response))


def ask_lines(
    url: str,
    query: Mapping[str, Any],
    timeout_s: float,
    progress: Callable[[str], None],
    body: Mapping[str, Any] | None = None,
) -> Any:
    """The result of an answer in JSON lines, whose progress is told as it comes. Raises CommandError, NotRunning.

    `body`: what is posted; without it the answer is only asked for.
    """
    more: dict[str, Any] = {"params": query, "timeout": timeout_s, "trust_env": False, "verify": _trust()}
    try:
        with httpx.stream("GET" if body is None else "POST", url, json=body, **more) as response:
            if not response.is_success:
                response.read()
                raise CommandError(said(response))
            for text in response.iter_lines():
                line = json.loads(text)
                if "progress" in line:
                    progress(line["progress"])
                elif "refused" in line:
                    raise CommandError(line["refused"])
                else:
                    return line["result"]
    except httpx.ConnectError:
        raise NotRunning(f"nothing answers at {_place(url)}; see `c360 status`") from None
    except httpx.HTTPError as error:
        raise CommandError(f"{_place(url)} does not answer: {type(error).__name__}") from None
    raise CommandError(f"{_place(url)} ended without a result; see its log")


def said(response: httpx.Response) -> str:
    """What a refusal says, in one line: its problem details, or its status."""
    place = f"{_place(str(response.request.url))}{response.request.url.path}"
    try:
        body = response.json()
    except ValueError:
        body = None
    if isinstance(body, dict):
        text = body.get("detail") or body.get("title") or body.get("message") or body.get("code")
        if text:
            return f"{text} ({response.status_code} from {place})"
    return f"{place} answers {response.status_code}"


def _place(url: str) -> str:
    parts = httpx.URL(url)
    return f"{parts.host}:{parts.port}"
