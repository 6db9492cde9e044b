"""Settings: from the environment only, with limits; the key is never shown."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from services.runtime.settings import Settings
from tests.support.databases import KEY, settings_for

URL = "postgresql://ann:very-secret@127.0.0.1:1/none"


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KAFKA_BOOTSTRAP", "DATABASE_URL", "C360_DEPLOYMENT_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ValidationError) as refused:
        Settings()
    assert {str(e["loc"][0]) for e in refused.value.errors()} == {"KAFKA_BOOTSTRAP", "DATABASE_URL", "deployment_key"}


def test_the_environment_is_read_with_its_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"KAFKA_BOOTSTRAP": "b:1", "DATABASE_URL": URL, "C360_DEPLOYMENT_KEY": KEY, "C360_BATCH_EVENTS_MAX": "7"}
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert (settings.kafka_bootstrap, settings.batch_events_max) == ("b:1", 7)
    assert settings.database_url.get_secret_value() == URL


def test_secrets_are_not_in_what_is_printed() -> None:
    settings = settings_for(URL)
    for shown in (repr(settings), str(settings), settings.model_dump_json()):
        assert "very-secret" not in shown
        assert KEY not in shown


@pytest.mark.parametrize(
    ("name", "value"), [("batch_events_max", 0), ("batch_events_max", 10_001), ("batch_linger_ms", -1)]
)
def test_a_limit_outside_its_range_is_refused(name: str, value: int) -> None:
    with pytest.raises(ValidationError, match=name):
        settings_for(URL, **{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("key", ["", "5a", "5a" * 15, "not hex", "5" * 33])
def test_a_key_that_is_too_short_or_no_hex_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match=r"hex"):
        _ = settings_for(URL, deployment_key=key).key_bytes


def test_a_fingerprint_tells_keys_apart_and_does_not_tell_them() -> None:
    one, other = settings_for(URL), settings_for(URL, deployment_key="5b" * 32)
    assert one.key_fingerprint == settings_for(URL).key_fingerprint != other.key_fingerprint
    assert one.key_fingerprint not in KEY
    assert one.key_bytes == bytes.fromhex(KEY)


def test_time_outs_stand_in_the_order_the_protocol_needs() -> None:
    s = settings_for(URL)
    assert s.lock_timeout_ms < s.idle_in_transaction_timeout_ms < s.session_timeout_ms < s.watchdog_s * 1000


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError):
        setattr(settings_for(URL), "batch_events_max", 5)  # noqa: B010 - the type already forbids it
