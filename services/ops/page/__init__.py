"""One customer as one HTML page: no network, no script, everything escaped. Draws what it is given; asks nothing.

whole.py puts it together; each other module draws one part of it with markup.py.
"""
