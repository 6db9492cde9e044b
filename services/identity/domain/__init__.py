"""Identity's rules: what an event says, what the policy counts, who is one customer. Pure."""
