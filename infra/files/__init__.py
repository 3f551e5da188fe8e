"""Files on this machine: a run's folder, its log, locks between processes, and where task results are kept.

From outside: `run_folder` (where a run's files are), `run_log`, `locks`, and `results` (whether task results can be
written). It imports `infra.settings`, `experts.files` and what lies below.
"""
