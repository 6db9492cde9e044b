"""Treatment's rules, without a database."""
