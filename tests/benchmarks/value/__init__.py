"""How right and how fast predictions of value and of next purchases are, beside what others make of the same."""
