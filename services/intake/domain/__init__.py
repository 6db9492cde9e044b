"""From what an upstream sent to one valid event, or to a reason why not. Pure: no clock, no I/O.

`segment` and `cloudevents` read the two languages into raw events, `accept` makes events of them.
"""
