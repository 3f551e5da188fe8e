"""What evolution strategies cost, how exact they are, and what they find."""
