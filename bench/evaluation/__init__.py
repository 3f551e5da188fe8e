"""What evaluations cost and whether they are exact: engines, recipes and objectives."""
