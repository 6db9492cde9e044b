"""Tests of intake's domain; no broker, no database."""
