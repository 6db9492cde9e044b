"""What treatment answers, on a real PostgreSQL."""
