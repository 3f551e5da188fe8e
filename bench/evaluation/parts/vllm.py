"""vLLM against transformers: `bench.evaluation.vllm_answers`, in the environment of `make install-vllm`."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.evaluation.parts.figures import Figure, at_least
from bench.evaluation.parts.workloads import DEMO, Workload

ROOT = DEMO.parent
PYTHON = ROOT / ".venv-vllm" / "bin" / "python"
SCRIPT = "bench.evaluation.vllm_answers"
NAME, REACH = "vLLM against transformers: same answers", 99.0


def figure(loads: Sequence[Workload], folder: Path, quick: bool) -> Figure:
    """Return the share of equal answers over the data files of `loads`."""
    files = [str((folder / name).resolve()) for name in dict.fromkeys(load.file for load in loads)]
    if not PYTHON.is_file():
        command = f"make install-vllm, then .venv-vllm/bin/python -m {SCRIPT} {' '.join(files)}"
        return at_least("vllm", NAME, None, " % of rows", REACH, command)
    with TemporaryDirectory() as temporary:
        written = Path(temporary) / "figures.json"
        command_line = [str(PYTHON), "-m", SCRIPT, *files, "--json", str(written), *(["--quick"] if quick else [])]
        done = subprocess.run(command_line, cwd=ROOT, check=False, capture_output=True, text=True)
        if not written.is_file():
            raise RuntimeError(f"{SCRIPT} ended with {done.returncode} and no figures: {done.stderr[-500:]}")
        return _read(json.loads(written.read_text(encoding="utf-8")))


def _read(figures: dict[str, Any]) -> Figure:
    rows, equal = (sum(each[field] for each in figures["agreements"]) for field in ("rows", "equal"))
    gaps = [f"{difference['gap']:.1e}" for difference in figures["differences"]]
    detail = f"{equal} of {rows} rows; gaps between the logits where they part: {', '.join(gaps) or 'none'}"
    return at_least("vllm", NAME, 100 * equal / rows, " % of rows", REACH, detail)
