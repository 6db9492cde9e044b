"""Tests of the public language: types, marks, titles, digest."""
