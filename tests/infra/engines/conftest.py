"""What the tests of engines need: vLLM's own are collected where it is installed (`make test-vllm`)."""

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("vllm") else ["test_vllm_*.py"]
