from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("lm_eval") else ["test_lm_eval*.py"]
