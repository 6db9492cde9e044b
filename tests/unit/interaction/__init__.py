"""Interaction's rules, without a database."""
