"""Packages that are installed for one test: a folder on sys.path with a module and what pip writes beside it."""

import sys
from collections.abc import Mapping
from pathlib import Path


def make_package(folder: Path, name: str, entry_points: Mapping[str, Mapping[str, str]], code: str = "") -> Path:
    """Write the package `name` 1.0 with its entry points, by group, and a module of that name; return `folder`."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
    sections = [
        "\n".join([f"[{group}]", *(f"{point} = {value}" for point, value in points.items())])
        for group, points in entry_points.items()
    ]
    (info / "entry_points.txt").write_text("\n\n".join(sections) + "\n", encoding="utf-8")
    (folder / f"{name}.py").write_text(code, encoding="utf-8")
    return folder


def forget_packages() -> None:
    """Forget the modules of every package whose name begins as these tests' do."""
    for name in [name for name in sys.modules if name.startswith("ep_")]:
        del sys.modules[name]
