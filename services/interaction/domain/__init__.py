"""What interaction decides: pure, no clock, no I/O."""
