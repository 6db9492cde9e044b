"""Tests of the predictive models."""
