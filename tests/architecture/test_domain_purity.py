"""Domains are pure, and the check that says so would notice a clock, a die or a file."""

import re

import pytest

from tests.architecture.contracts import SERVICE
from tests.architecture.purity import impurities
from tests.architecture.source import Module, modules


def test_no_domain_touches_clock_chance_files_or_network() -> None:
    domain = re.compile(rf"{SERVICE}\.domain(\..*)?")
    domains = [module for module in modules("services") if domain.fullmatch(module.name)]
    found = [impurity for module in domains for impurity in impurities(module)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "text",
    [
        "import time",
        "from random import choice",
        "import asyncpg",
        "from datetime import datetime\nnow = datetime.now()",
        "import datetime\nnow = datetime.datetime.now(datetime.UTC)",
        "import datetime\ntoday = datetime.date.today()",
        "import uuid\nname = uuid.uuid4()",
        "from uuid import uuid4\nname = uuid4()",
        "rows = open('rows')",
        "async def decide() -> None: ...",
        "import numpy as np",
        "from scipy.special import psi",
        "import numpy\ndraws = numpy.random.default_rng(1)",
    ],
)
def test_an_impure_line_is_noticed(text: str) -> None:
    assert impurities(Module("services.value.domain", is_package=False, text=text))


def test_only_models_reckon_in_floats_and_not_even_they_draw_lots() -> None:
    def in_models(text: str) -> Module:
        return Module("services.value.domain.models.bg", is_package=False, text=text)

    assert not impurities(in_models("import numpy as np\nfrom scipy.special import psi\nzero = np.zeros(1)"))
    assert impurities(in_models("import numpy as np\ndraws = np.random.default_rng(1)"))
    assert impurities(in_models("import time"))


@pytest.mark.parametrize(
    "text",
    [
        "from datetime import datetime, timedelta\ndue = datetime(2026, 1, 1) + timedelta(days=1)",
        "from uuid import UUID, uuid5\nname = uuid5(UUID(int=0), 'a')",
        "from decimal import Decimal\nfrom urllib.parse import urlsplit",
    ],
)
def test_a_pure_line_is_left_alone(text: str) -> None:
    assert not impurities(Module("services.value.domain", is_package=False, text=text))
