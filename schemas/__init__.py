"""The public language of the system: envelope, identifiers, event types, topics, codec.

Owns what upstreams, services and downstream apps agree on; must not know any service or database.
"""
