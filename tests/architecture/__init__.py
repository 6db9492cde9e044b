"""Rules of the tree, read from its source. Each message tells what the rule prevents."""
