"""`swarm data generate`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from cli.terminal.console import out, print_json, table
from cli.terminal.options import AsJson
from swarm.errors import InputError

_SPLITS = ("train", "dev", "test")


def generate(
    skills: Annotated[list[str], typer.Argument(metavar="SKILL...", help="Skills by name, or 'all'.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="The folder for SKILL.json.")],
    seed: Annotated[int, typer.Option(min=0, help="Decides every question.")] = 0,
    train: Annotated[int, typer.Option(help="Questions for training experts.")] = 1000,
    dev: Annotated[int, typer.Option(help="Questions that a search sees.")] = 80,
    test: Annotated[int, typer.Option(help="Questions for the test after it.")] = 300,
    as_json: AsJson = False,
) -> None:
    """Generate data files of small skills: the same arguments give the same bytes."""
    from data.skills.generate import generate as generate_skill
    from data.skills.registry import SKILLS

    names = list(SKILLS) if skills == ["all"] else list(dict.fromkeys(skills))
    data_sets = [generate_skill(name, seed, train, dev, test) for name in names]
    files = {output / f"{data['dataset']}.json": data for data in data_sets}
    _publish({path: json.dumps(data, indent=1, ensure_ascii=False) + "\n" for path, data in files.items()})
    rows = [{"path": str(path), **{split: len(data[split]) for split in _SPLITS}} for path, data in files.items()]
    if as_json:
        print_json(rows)
    else:
        out.print(table(("file", *_SPLITS), (tuple(file.values()) for file in rows)))


def _publish(texts: dict[Path, str]) -> None:
    """Write all files or, if one of them holds something else already, none."""
    from experts.files import publish_text

    for path, text in texts.items():
        if path.exists() and path.read_bytes() != text.encode():
            raise InputError(f"{path}: exists and holds something else: remove it, or choose another --output")
    for path, text in texts.items():
        publish_text(path, text)
