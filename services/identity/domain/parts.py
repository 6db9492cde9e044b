"""Union-find: which records hang together over whatever joins them. Pure."""

from __future__ import annotations


class Parts:
    """Union-find over whatever is joined."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def root(self, record: str) -> str:
        """The name of the part a record is in."""
        while (parent := self._parent.get(record, record)) != record:
            self._parent[record] = self._parent.get(parent, parent)
            record = parent
        return record

    def join(self, a: str, b: str) -> bool:
        """Join the parts of both; whether they were two."""
        one, other = self.root(a), self.root(b)
        self._parent[other] = one
        return one != other
