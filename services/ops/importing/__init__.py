"""Tables of contacts, orders and the like, made events: what `c360 import FILE --map MAP` does with a row."""
