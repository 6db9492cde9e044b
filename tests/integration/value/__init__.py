"""What value does by itself, on a real PostgreSQL."""
