"""The demonstration: real baskets, synthetic people, through the public door. See story.py for what is which."""
