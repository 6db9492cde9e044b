"""What others would build, to compare with; each does the same work."""
