"""Tests that need a CUDA GPU; where PyTorch sees none, there are none."""

import torch

collect_ignore_glob = [] if torch.cuda.is_available() else ["test_*.py"]
