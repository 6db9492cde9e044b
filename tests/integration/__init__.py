"""Tests against the real parts: Kafka and PostgreSQL."""
