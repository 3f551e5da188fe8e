"""What generates text: one file an engine, one interface."""
