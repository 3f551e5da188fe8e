"""What bench/objectives.py evaluates: data, outside models, and the rows of its table."""
