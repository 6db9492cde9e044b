"""The machinery's rules, without a broker or a database."""
