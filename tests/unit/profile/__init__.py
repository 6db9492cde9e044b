"""Profile's rules, without a database."""
