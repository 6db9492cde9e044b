"""Named points at which the fault tests kill or stop a process. Does nothing unless a test asks.

Owns the names. A point is free when no test set it: one attribute look-up.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

POINTS: tuple[str, ...] = (
    "after_getmany",
    "inside_transaction",
    "before_commit",
    "after_commit",
    "after_publish",
)


class FaultPoints:
    """`FaultPoints("before_commit:kill:3:/dir/hits")` kills the process the third time it gets there.

    Actions: kill (SIGKILL) and stop (SIGSTOP). Each hit is counted in a file first, so that a test can say
    how often the point was really reached. A hit that another process counted is not made again.
    """

    def __init__(self, spec: str = "") -> None:
        self.point, self.action, self.after, self.folder = "", "", 1, Path()
        if spec:
            self.point, self.action, after, folder = spec.split(":", 3)
            self.after, self.folder = int(after), Path(folder)
            if self.point not in POINTS or self.action not in ("kill", "stop"):
                raise ValueError(f"unknown fault point: {spec}")
        self.seen = 0

    def reach(self, point: str) -> None:
        """Called by the lane at each named point."""
        if point != self.point:
            return
        self.seen += 1
        if self.seen != self.after:
            return
        hit = self.folder / f"{self.point}.{os.getpid()}"
        hit.touch()
        os.kill(os.getpid(), signal.SIGKILL if self.action == "kill" else signal.SIGSTOP)
