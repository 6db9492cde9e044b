"""Identity's rules, without a database."""
