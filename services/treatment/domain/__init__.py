"""Treatment's rules: the policy, what was done before, what is decided, what is learnt. Pure: the moment is given."""
