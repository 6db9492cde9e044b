"""Value's rules, without a database."""
