"""The tests of lm-evaluation-harness run where it is installed."""

from tests.installed import package_tested

collect_ignore_glob = [] if package_tested("lm_eval", "lm-eval") else ["test_lm_eval*.py"]
