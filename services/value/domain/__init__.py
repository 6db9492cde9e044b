"""Value's rules: what an event says of money, what an order comes to, what a customer is worth. Pure."""
