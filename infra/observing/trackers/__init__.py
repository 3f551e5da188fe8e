"""Optional trackers: the figures of a run, also in Weights & Biases, MLflow, TensorBoard or Trackio.

To be imported from outside: `registry`, and `base` for whoever writes a tracker. Each tracker's own package is imported
only when a configuration names it.
"""
