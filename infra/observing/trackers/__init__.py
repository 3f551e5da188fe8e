"""Optional trackers: the figures of a run, also in Weights & Biases, MLflow, TensorBoard or Trackio."""
