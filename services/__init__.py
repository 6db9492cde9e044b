"""The services, what they share to run (runtime), and the command that works them (ops).

No service imports another: they meet in topics and in `schemas`.
"""
