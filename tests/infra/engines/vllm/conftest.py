"""Tests that open a vLLM engine are collected where vLLM is installed (`make test-vllm`)."""

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("vllm") else ["test_vllm_*.py"]
