"""Planted bugs: small wrong changes of the code, and the named tests that must notice each (`make test-mutants`)."""
