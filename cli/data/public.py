"""The public data sets: what `swarm data list` shows of them and `swarm data pull` fetches."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.terminal.console import err, out, print_json, table
from cli.terminal.progress import progress

if TYPE_CHECKING:
    from data.catalogue import Catalogue, DataSet
    from infra.downloads.pulled_data import DataFolder, PulledDataSet

_COLUMNS = ("data set", "kind", "papers", "examples", "kB", "licence", "SHA-256", "here")
_NOT_VERIFIED = "not verified"
_SHORT = {"model_swarms": "MS", "heterogeneous_swarms": "HS", "evolution_strategies": "ES"}


def show_public_data(catalogue: Path | None, folder: Path | None, as_json: bool) -> None:
    """Print every data set of a catalogue, with what is pulled in `folder`."""
    data_folder = _data_folder(folder)
    entries = [_entry(data_set, data_folder) for data_set in _load(catalogue).data_sets.values()]
    if as_json:
        print_json(entries)
        return
    out.print(table(_COLUMNS, map(_row, entries)))
    err.print(
        f"pulled data sets: {data_folder.folder} (papers: MS Model Swarms, HS Heterogeneous Swarms, "
        "ES Evolution Strategies at Scale)",
        soft_wrap=True,
        markup=False,
    )


def pull_public_data(names: Sequence[str], catalogue: Path | None, folder: Path | None, as_json: bool) -> None:
    """Pull data sets by name, one after another; all names are looked up before the first is pulled."""
    catalogue_entries, data_folder = _load(catalogue), _data_folder(folder)
    data_sets = [catalogue_entries.find(name) for name in dict.fromkeys(names)]
    data_files = {data_set.name: _pull(data_set, data_folder) for data_set in data_sets}
    if as_json:
        print_json([_pulled_json(name, data_file) for name, data_file in data_files.items()])
    else:
        rows = (
            (name, data_file.size // 1000, data_file.sha256, data_file.path) for name, data_file in data_files.items()
        )
        out.print(table(("data set", "kB", "SHA-256", "file"), rows))


def _pull(data_set: "DataSet", data_folder: "DataFolder") -> "PulledDataSet":
    with progress(data_set.name) as report:
        data_file = data_folder.pull(data_set, report)
    for note in _notes(data_set, data_file):
        err.print(f"{data_file.path}: {note}", soft_wrap=True)
    return data_file


def _notes(data_set: "DataSet", data_file: "PulledDataSet") -> Iterator[str]:
    if data_file.first_seen:
        yield "its SHA-256 was not known: it is remembered from now on, compare it if you can"
    if data_set.licence is None:
        yield "its licence was not verified: look it up before you share it"
    if data_set.note:
        yield data_set.note


def _load(path: Path | None) -> "Catalogue":
    from data.catalogue import CATALOGUE, Catalogue
    from infra.configs.yaml_files import load_config

    return load_config(path or CATALOGUE, Catalogue)


def _data_folder(folder: Path | None) -> "DataFolder":
    from infra.downloads.pulled_data import DataFolder
    from infra.settings import Settings

    return DataFolder((folder or Settings().cache / "data").expanduser().absolute())


def _entry(data_set: "DataSet", data_folder: "DataFolder") -> dict[str, Any]:
    from data.catalogue import count_examples

    status, path = data_folder.status(data_set), data_folder.path(data_set)
    examples_count = count_examples(path) if data_set.examples is None and status == "pulled" else data_set.examples
    here = None if status is None else str(path)
    return {**data_set.model_dump(mode="json"), "examples": examples_count, "status": status, "path": here}


def _row(entry: dict[str, Any]) -> tuple[Any, ...]:
    examples, size, sha256 = entry["examples"], entry["size"], entry["sha256"]
    return (
        entry["name"],
        entry["kind"],
        " ".join(_SHORT[paper] for paper in entry["papers"]),
        ", ".join(f"{count} {split}" for split, count in examples.items()) if examples else None,
        None if size is None else size // 1000,
        entry["licence"] or _NOT_VERIFIED,
        sha256[:12] if sha256 else _NOT_VERIFIED,
        entry["status"] or ("no file" if entry["url"] is None else None),
    )


def _pulled_json(name: str, data_file: "PulledDataSet") -> dict[str, Any]:
    keys = ("sha256", "size", "new", "first_seen")
    return {"name": name, "path": str(data_file.path), **{key: getattr(data_file, key) for key in keys}}
