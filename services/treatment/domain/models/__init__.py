"""Models of what customers accept; the one place of this service that reckons in floats."""
