"""GPUs of this machine, which runs take in turn."""
