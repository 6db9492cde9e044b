"""Real clients of other people, and what a customer's story is to them.

Owns the programs that run in environments of their own; none of them is imported by a test.
"""
