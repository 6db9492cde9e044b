"""The local parts and the c360 command, against real processes."""
