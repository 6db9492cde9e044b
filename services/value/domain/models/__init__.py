"""Predictive models: what a customer's history says he will do, what that is worth, and what he needs next. Pure.

Owns the published models and their numbers: fits, expectations, choices between them. Times are whole business days,
parameters are per day. Only these modules of the domain use numpy and scipy. No clock: the day of an answer is given.
"""
