"""What the demo's searches find with several seeds, and what they start from."""
