"""`swarm data list`, `swarm data pull`, `swarm data check`, `swarm data generate`."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.console import AsJson, err, out, print_json, table
from cli.public_data import pull_public_data, show_public_data
from data.summary import DataSummary, ListedFile, check_data, list_data
from swarm.errors import InputError

app = typer.Typer(help="Find, check and generate data files.", no_args_is_help=True)

OwnCatalogue = Annotated[
    Path | None, typer.Option("--catalogue", metavar="FILE", help="A catalogue of your own, instead of the papers'.")
]
To = Annotated[
    Path | None, typer.Option("--to", metavar="DIR", help="The folder of pulled data sets.  [default: in the cache]")
]


@app.command("list")
def list_files(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[FOLDER]", help="List this folder's data files instead.")
    ] = None,
    to: To = None,
    catalogue: OwnCatalogue = None,
    as_json: AsJson = False,
) -> None:
    """List the papers' public data sets, with what is pulled; or the data files of a folder."""
    if folder is None:
        show_public_data(catalogue, to, as_json)
        return
    files = list_data(folder)
    if as_json:
        print_json([file.to_json() for file in files])
    else:
        out.print(table(_COLUMNS, map(_listed, files)))
        for problem in filter(None, (file.problem for file in files)):
            err.print(problem, soft_wrap=True, markup=False)


@app.command("pull")
def pull(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Data sets, as `swarm data list` shows them.")],
    to: To = None,
    catalogue: OwnCatalogue = None,
    as_json: AsJson = False,
) -> None:
    """Download public data sets; what broke off is continued, what is there whole is left as it is."""
    pull_public_data(names, catalogue, to, as_json)


@app.command("check")
def check(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Data files (.json, .jsonl).")],
    as_json: AsJson = False,
) -> None:
    """Check every example of data files; ends with code 2 if a run would refuse one of them."""
    summaries = [check_data(file) for file in files]
    if as_json:
        print_json([summary.to_json() for summary in summaries])
    else:
        out.print(table(_COLUMNS, map(_row, summaries)))
        _print_findings(summaries)
    problem = next(filter(None, map(_problem, summaries)), None)
    if problem is not None:
        raise InputError(problem)


@app.command("generate")
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
    generated = [generate_skill(name, seed, train, dev, test) for name in names]
    made = {output / f"{data['dataset']}.json": data for data in generated}
    _publish({path: json.dumps(data, indent=1, ensure_ascii=False) + "\n" for path, data in made.items()})
    files = [{"path": str(path), **{split: len(data[split]) for split in _SPLITS}} for path, data in made.items()]
    if as_json:
        print_json(files)
    else:
        out.print(table(("file", *_SPLITS), (tuple(file.values()) for file in files)))


_SPLITS = ("train", "dev", "test")
_COLUMNS = ("file", "data set", "kind", "dev", "test", "overlap", "invalid", "SHA-256")


def _publish(texts: dict[Path, str]) -> None:
    """Write all files or, if one of them holds something else already, none."""
    from experts.files import publish_text

    for path, text in texts.items():
        if path.exists() and path.read_bytes() != text.encode():
            raise InputError(f"{path}: exists and holds something else: remove it, or choose another --output")
    for path, text in texts.items():
        publish_text(path, text)


def _listed(file: ListedFile) -> tuple[Any, ...]:
    cells = [None] * (len(_COLUMNS) - 1) if file.summary is None else _row(file.summary)[1:]
    return (Path(file.path).name, *cells)


def _row(summary: DataSummary) -> tuple[Any, ...]:
    sizes = [summary.examples[split] for split in ("dev", "test")]
    findings = (summary.overlap, len(summary.invalid))
    return (summary.path, summary.dataset, summary.kind, *sizes, *findings, summary.sha256[:12])


def _print_findings(summaries: list[DataSummary]) -> None:
    for summary in summaries:
        for entry in summary.invalid:
            out.print(f"{summary.path}: {entry.split}[{entry.index}].{entry.reason}", soft_wrap=True, markup=False)
        for note in _notes(summary):
            err.print(f"{summary.path}: {note}", soft_wrap=True, markup=False)


def _notes(summary: DataSummary) -> list[str]:
    """Return what a person should know though a run accepts it (overlap: where its config allows it)."""
    notes = [f"{count} {split} questions are repeated" for split, count in summary.repeated.items() if count]
    if summary.overlap:
        notes.append(f"{summary.overlap} test questions are dev questions too: a run needs allow_overlap: true")
    return notes


def _problem(summary: DataSummary) -> str | None:
    if summary.invalid:
        first = summary.invalid[0]
        place = f"{first.split}[{first.index}]"
        return f"{summary.path}: {len(summary.invalid)} invalid examples, the first is {place}: correct or remove them"
    empty = [split for split, count in summary.examples.items() if not count]
    return f"{summary.path}: the {empty[0]} split has no examples: add some" if empty else None
