"""Tasks of EleutherAI's lm-evaluation-harness (the package lm-eval), which this project's engines answer.

Only the kind `lm_eval` (`data/kinds/lm_eval.py`) imports from here. lm-eval itself, an extra, is imported inside
functions.
"""
