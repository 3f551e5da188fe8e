"""What a run of evolution strategies needs besides what every run has."""
