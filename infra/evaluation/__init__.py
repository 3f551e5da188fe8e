"""From questions to scores: an engine answers, outside scorers rate, all is scored and recorded."""
