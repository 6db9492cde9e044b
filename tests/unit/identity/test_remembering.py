"""What is remembered of texts is forgotten as a whole, and worked out anew to the same."""

from __future__ import annotations

from services.identity.domain.remembering import forget_all, remembered


def test_what_was_forgotten_is_worked_out_again_and_nothing_else_is() -> None:
    asked: list[str] = []

    @remembered(2)
    def upper(text: str) -> str:
        asked.append(text)
        return text.upper()

    assert [upper("ann"), upper("ann"), upper("bob")] == ["ANN", "ANN", "BOB"]
    assert asked == ["ann", "bob"]
    forget_all()
    assert upper("ann") == "ANN"
    assert asked == ["ann", "bob", "ann"]
