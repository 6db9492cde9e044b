"""Webhooks: changes told to endpoints of downstream apps, at least once, in the order of each customer.

Owns queuing, sending and trying again (docs/decisions/0013). Rules are domain/webhooks.py, SQL is inputs/webhooks.py
and inputs/deliveries.py, what people ask for is api/webhooks.py.
"""
