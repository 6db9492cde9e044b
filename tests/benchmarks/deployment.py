"""The running copy that benchmarks measure."""

from tests.support.deployment import Deployment, running

__all__ = ["Deployment", "running"]
