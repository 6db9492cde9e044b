"""Repair: some customers' rows derived anew from their first events on, and replaced where they differ.

Owns everything between "whom" and "it is right again". A part of the log is never folded on top of what is there.
"""
