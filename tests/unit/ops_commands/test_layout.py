"""Every process is told everything; ports and names follow from what was asked."""

import pytest

from services.ops.commands import layout
from services.ops.commands.failures import UsageMistake
from services.ops.local.layout import CHECKOUT
from services.ops.local.ports import OFFSETS
from services.runtime.settings import Settings

KEY = "00" * 32


def environment(environ: dict[str, str], ports: dict[str, int]) -> dict[str, str]:
    return layout.environment(
        environ, ports, kafka="127.0.0.1:1", database_url="postgresql://u:p@127.0.0.1:2/c", key=KEY, build="abc"
    )


def test_every_setting_is_given_to_every_process() -> None:
    chosen = layout.workers({"interaction": 2})
    ports = layout.ports_by_base(8000, chosen)
    names = {name for _, name in layout.setting_names()}
    for spec in layout.specs(environment({}, ports), ports, chosen):
        assert names - spec.env.keys() == set(), f"{spec.name} would read them from wherever it is started"


def test_a_process_reads_back_what_it_was_told(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = layout.workers({"interaction": 2})
    ports = layout.ports_by_base(8000, chosen)
    told = environment({"C360_BATCH_EVENTS_MAX": "7", "C360_LOG_JSON": "true"}, ports)
    second = next(s for s in layout.specs(told, ports, chosen) if s.name == "interaction.1")
    for name, value in second.env.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert (settings.worker_index, settings.batch_events_max, settings.log_json) == (1, 7, True)
    assert settings.worker_port == ports["interaction.1.health"]
    assert (settings.intake_port, settings.profile_port, settings.internal_port) == (8080, 8084, 8090)
    assert settings.interaction_internal_url == "http://127.0.0.1:8090/interaction"
    assert (settings.build, settings.deployment_key.get_secret_value()) == ("abc", KEY)


def test_the_same_call_gives_the_same_processes() -> None:
    chosen = layout.workers({})
    ports = layout.ports_by_base(8000, chosen)
    assert layout.specs(environment({}, ports), ports, chosen) == layout.specs(environment({}, ports), ports, chosen)


def test_no_two_processes_share_a_port() -> None:
    chosen = layout.workers({service: layout.WORKERS_MAX for service in layout.WORKERS})
    ours = layout.ports_by_base(8000, chosen)
    parts = {name: 8000 + OFFSETS[name] for name in ("kafka", "kafka_controller", "postgres")}
    every = [*ours.values(), *parts.values()]
    assert len(set(every)) == len(every)


def test_more_workers_are_named_after_their_service() -> None:
    named = [one.name for one in layout.workers(layout.read_counts(["interaction=3"]))]
    three = ["interaction", "interaction.1", "interaction.2"]
    assert named == ["intake", "identity", *three, "value", "profile", "treatment"]


@pytest.mark.parametrize("text", ["interaction", "interaction=0", "interaction=9", "nobody=2", "=2"])
def test_workers_that_cannot_be_are_refused(text: str) -> None:
    with pytest.raises(UsageMistake):
        layout.read_counts([text])


def test_the_build_is_what_the_environment_says_first() -> None:
    assert layout.build_name({"C360_BUILD": "v9"}) == "v9"
    assert layout.build_name({})


def test_every_setting_is_listed_with_its_default() -> None:
    listed = (CHECKOUT / "deploy" / "env.example").read_text().splitlines()
    for field, name in layout.setting_names():
        lines = [line for line in listed if line.startswith(f"#{name}=")]
        assert lines, f"{name} is not in deploy/env.example"
        default = Settings.model_fields[field].default
        if isinstance(default, str | int | float) and default != "":
            text = str(default).lower() if isinstance(default, bool) else str(default)
            assert lines == [f"#{name}={text}"], f"deploy/env.example tells another default of {name}"


def test_nothing_is_listed_that_is_no_setting() -> None:
    listed = (CHECKOUT / "deploy" / "env.example").read_text().splitlines()
    named = {line[1:].partition("=")[0] for line in listed if line.startswith("#C360_") and "=" in line}
    of_the_command = {"C360_HOME", "C360_KAFKA_JARS"}
    assert named - {name for _, name in layout.setting_names()} - of_the_command == set()


def test_workers_that_serve_an_address_share_its_port_and_only_they() -> None:
    chosen = layout.workers(layout.read_counts(["intake=2", "interaction=2"]))
    ports = layout.ports_by_base(8000, chosen)
    shared = {
        one.name
        for one in layout.specs(environment({}, ports), ports, chosen)
        if one.env["C360_PORT_SHARED"] == "true"
    }
    assert shared == {"intake", "intake.1"}
