"""Interaction: everything that passed between us and a customer.

Owns   history rows per record, summaries per record, the section combined per customer.
Hears  channel.events (every type is history), identity.bindings.
Tells  interaction.customers.
Must not know who a person is: it groups records as identity's bindings say.
"""
