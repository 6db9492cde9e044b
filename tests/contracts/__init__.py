"""Contracts with upstreams: frozen schemas and example files."""
