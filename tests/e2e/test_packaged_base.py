import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.real_model, pytest.mark.slow]
ROOT = Path(__file__).parents[2]
CHILD = """
import sys
from pathlib import Path
from experts.base_models import PACKAGED, resolve_base_model
print(resolve_base_model(PACKAGED, Path(sys.argv[1])).sha256)
"""


@pytest.mark.parametrize("offline", ["0", "1"])
def test_every_conversion_is_the_base_model_of_the_demos_experts(tmp_path: Path, offline: str) -> None:
    environment = {**os.environ, "HF_HUB_OFFLINE": offline, "PYTHONPATH": str(ROOT)}
    child = [sys.executable, "-c", CHILD, str(tmp_path)]
    printed = subprocess.run(child, env=environment, capture_output=True, text=True, check=True).stdout.strip()
    provenances = list(ROOT.glob("demo/experts/*/provenance.json"))
    assert len(provenances) == 7
    assert {json.loads(path.read_text())["base_sha256"] for path in provenances} == {printed}
