"""The import contracts hold, and the check that says so would notice if they did not."""

import pytest

from tests.architecture.contracts import breaches, hosts_streams_elsewhere
from tests.architecture.source import Module, modules


def test_every_module_imports_only_what_its_layer_may() -> None:
    found = [breach for module in modules("services", "schemas") for breach in breaches(module)]
    assert not found, "\n".join(found)


def test_only_the_runtime_hosts_streams() -> None:
    found = [
        breach for module in modules("services", "schemas") for breach in hosts_streams_elsewhere(module)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("schemas.codec", "from services.runtime import lane"),
        ("services.runtime.lane", "import services.value.store"),
        ("services.value.handlers", "from services.identity.domain import Customer"),
        ("services.value.handlers", "from services.value import views"),
        ("services.ops.command", "from services import identity"),
        ("services.value.domain", "from services.runtime.postgres import Pool"),
        ("services.value.domain.tiers", "from ..store import rows"),
        ("services.value.store", "from .api import page"),
        ("services.profile.views", "import services.profile.store"),
        ("services.identity.views", "from services.identity.store import save_evidence"),
        ("services.identity.views", "from services.identity.store.groups import hear_groups"),
        ("services.intake.api", "from services.intake.store import save"),
        ("services.runtime.host", "from tests.support import clock"),
    ],
)
def test_a_forbidden_import_is_noticed(name: str, line: str) -> None:
    inside_function = f"def late():\n    {line}\n"
    assert breaches(Module(name, is_package=False, text=line))
    assert breaches(Module(name, is_package=False, text=inside_function))


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("services.value.domain.tiers", "from services.value.domain.money import Amount"),
        ("services.value.handlers", "from .store import save"),
        ("services.value.__main__", "from services.value import api, handlers"),
        ("services.profile.api", "from services.profile import views"),
        ("services.identity.views", "from services.identity.store import neighbourhood"),
        ("services.identity.views", "from services.identity.store import belonging"),
        ("services.ops.local.parts", "import asyncpg"),
    ],
)
def test_an_allowed_import_is_left_alone(name: str, line: str) -> None:
    assert not breaches(Module(name, is_package=False, text=line))


def test_streams_hosted_elsewhere_are_noticed() -> None:
    assert hosts_streams_elsewhere(Module("services.value.handlers", is_package=False, text="import faust"))
    assert not hosts_streams_elsewhere(Module("services.runtime.host", is_package=False, text="import faust"))
