"""Labelled people to measure who-is-who on, the measures, and what other tools make of the same records."""
