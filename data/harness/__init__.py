"""Tasks of EleutherAI's lm-evaluation-harness (the package lm-eval), asked by this project's engines."""
