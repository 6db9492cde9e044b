"""Logs carry no text of an exception: it may hold what a person wrote."""

from __future__ import annotations

import asyncio
import gc
import io
import logging
import sys
from collections.abc import Iterator

import pytest
import structlog

from services.runtime import telemetry

SECRET = "ann.lee@private.com"


@pytest.fixture(params=[True, False], ids=["json", "console"])
def logs(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What a process writes to stderr with its own logging, which is put back afterwards."""
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    telemetry.configure_logging("interaction", json_lines=request.param)
    yield written
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def broken() -> Exception:
    """An error with a secret, in itself, in its notes and in its cause."""
    try:
        try:
            raise KeyError(SECRET)
        except KeyError as cause:
            raise ValueError(f"cannot read {SECRET}") from cause
    except ValueError as error:
        error.add_note(SECRET)
        return error


def test_where_an_error_happened_is_said_without_its_text() -> None:
    said = telemetry.where(broken())
    assert said.startswith("ValueError at test_telemetry.py:")
    assert said.endswith(" in broken")
    assert SECRET not in said
    assert telemetry.where(ValueError(SECRET)) == "ValueError"


def test_our_own_lines_drop_the_text_of_an_exception(logs: io.StringIO) -> None:
    log = structlog.get_logger("c360")
    error = broken()
    log.error("one", exc_info=error)
    log.error("two", exc_info=(type(error), error, error.__traceback__))
    log.error("three", error=telemetry.where(error))
    try:
        raise error
    except ValueError:
        log.exception("four")
        log.error("five", exc_info=True)
    err = logs.getvalue()
    assert [n for n in ("one", "two", "three", "four", "five") if n not in err] == []
    assert err.count("ValueError at test_telemetry.py") == 5
    assert SECRET not in err


def test_lines_of_libraries_drop_it_too(logs: io.StringIO) -> None:
    library = logging.getLogger("some.library")
    error = broken()
    library.error("one", exc_info=error)
    try:
        raise error
    except ValueError:
        library.exception("two")
    library.error("three", exc_info=sys.exc_info())
    err = logs.getvalue()
    assert all(n in err for n in ("one", "two", "three"))
    assert SECRET not in err


def test_an_exception_given_as_a_value_is_not_written_out(logs: io.StringIO) -> None:
    structlog.get_logger("c360").error("given", error=broken(), why=broken())
    err = logs.getvalue()
    assert "given" in err
    assert SECRET not in err


def test_a_library_that_formats_an_exception_into_its_line_does_not_tell_it(logs: io.StringIO) -> None:
    logging.getLogger("some.library").error("cannot: %s and %r", broken(), broken())
    err = logs.getvalue()
    assert "cannot" in err
    assert SECRET not in err


def test_a_task_whose_error_nobody_took_does_not_tell_it(logs: io.StringIO) -> None:
    async def fail() -> None:
        raise ValueError(SECRET)

    async def leave() -> None:
        task = asyncio.create_task(fail())
        await asyncio.wait({task})
        del task
        gc.collect()

    asyncio.run(leave())
    err = logs.getvalue()
    assert "never retrieved" in err
    assert SECRET not in err


def test_a_line_says_which_service_wrote_it(logs: io.StringIO) -> None:
    structlog.get_logger("c360").info("hello")
    assert "interaction" in logs.getvalue()
