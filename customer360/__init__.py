"""What apps install: the client of the profile API (customer360.client).

Owns nothing of the services, which are in `services`; it knows them by HTTP alone.
"""
