"""What `bench.evaluation.objectives` evaluates: data, outside models, and the rows of its table."""
