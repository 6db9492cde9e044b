"""Keys, masks and forms of the profile API against a running copy."""
