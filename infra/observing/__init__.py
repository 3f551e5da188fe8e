"""What people and trackers see of a run while it goes: observers, views of iterations, metrics, the clock."""
