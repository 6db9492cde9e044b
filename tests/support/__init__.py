"""What several tests stand on: real parts, a broker in memory, the oracle."""
