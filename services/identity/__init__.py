"""Identity: who is who.

Owns   the evidence (records, links, traits, assertions), the clustering, bindings, contact data.
Hears  channel.events.
Tells  identity.bindings (record → customer), identity.customers (records, identifiers, contact).
Must not read anything but evidence, assertions and policy: no value, no consents, no counts.
"""
