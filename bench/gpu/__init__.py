"""What evaluations cost on a GPU."""
