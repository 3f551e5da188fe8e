"""Distributions that look as if pip had installed them: a `.dist-info` folder and modules in one folder."""

import sys
from pathlib import Path


def install(folder: Path, name: str, group: str, points: dict[str, str], **modules: str) -> None:
    """Write distribution `name` 1.0 with entry `points` of `group`, and `modules`: name → source."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = [f"{point} = {target}" for point, target in points.items()]
    (info / "entry_points.txt").write_text("\n".join([f"[{group}]", *lines, ""]))
    for module, source in modules.items():
        (folder / f"{module}.py").write_text(source)
        sys.modules.pop(module, None)  # another test's module of this name
