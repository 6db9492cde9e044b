"""The collector under bad input, against a running copy."""
