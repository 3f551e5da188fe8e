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
    place = _place(folder)
    listed = [_described(each, place) for each in _load(catalogue).data_sets.values()]
    if as_json:
        print_json(listed)
        return
    out.print(table(_COLUMNS, map(_row, listed)))
    err.print(
        f"pulled data sets: {place.folder} (papers: MS Model Swarms, HS Heterogeneous Swarms, "
        "ES Evolution Strategies at Scale)",
        soft_wrap=True,
        markup=False,
    )


def pull_public_data(names: Sequence[str], catalogue: Path | None, folder: Path | None, as_json: bool) -> None:
    """Pull data sets by name, one after another; all names are looked up before the first is pulled."""
    known, place = _load(catalogue), _place(folder)
    wanted = [known.find(name) for name in dict.fromkeys(names)]
    pulled = {data_set.name: _pull(data_set, place) for data_set in wanted}
    if as_json:
        print_json([_pulled_json(name, each) for name, each in pulled.items()])
    else:
        rows = ((name, each.size // 1000, each.sha256, each.path) for name, each in pulled.items())
        out.print(table(("data set", "kB", "SHA-256", "file"), rows))


def _pull(data_set: "DataSet", place: "DataFolder") -> "PulledDataSet":
    with progress(data_set.name) as report:
        pulled = place.pull(data_set, report)
    for note in _notes(data_set, pulled):
        err.print(f"{pulled.path}: {note}", soft_wrap=True, markup=False)
    return pulled


def _notes(data_set: "DataSet", pulled: "PulledDataSet") -> Iterator[str]:
    if pulled.first_seen:
        yield "its SHA-256 was not known: it is remembered from now on, compare it if you can"
    if data_set.licence is None:
        yield "its licence was not verified: look it up before you share it"
    if data_set.note:
        yield data_set.note


def _load(path: Path | None) -> "Catalogue":
    from data.catalogue import CATALOGUE, Catalogue
    from infra.configs.yaml_files import load_config

    return load_config(path or CATALOGUE, Catalogue)


def _place(folder: Path | None) -> "DataFolder":
    from infra.downloads.pulled_data import DataFolder
    from infra.settings import Settings

    return DataFolder((folder or Settings().cache / "data").expanduser().absolute())


def _described(data_set: "DataSet", place: "DataFolder") -> dict[str, Any]:
    from data.catalogue import count_examples

    status, path = place.status(data_set), place.path(data_set)
    counted = count_examples(path) if data_set.examples is None and status == "pulled" else data_set.examples
    here = None if status is None else str(path)
    return {**data_set.model_dump(mode="json"), "examples": counted, "status": status, "path": here}


def _row(listed: dict[str, Any]) -> tuple[Any, ...]:
    examples, size, sha256 = listed["examples"], listed["size"], listed["sha256"]
    return (
        listed["name"],
        listed["kind"],
        " ".join(_SHORT[paper] for paper in listed["papers"]),
        ", ".join(f"{count} {split}" for split, count in examples.items()) if examples else None,
        None if size is None else size // 1000,
        listed["licence"] or _NOT_VERIFIED,
        sha256[:12] if sha256 else _NOT_VERIFIED,
        listed["status"] or ("no file" if listed["url"] is None else None),
    )


def _pulled_json(name: str, pulled: "PulledDataSet") -> dict[str, Any]:
    keys = ("sha256", "size", "new", "first_seen")
    return {"name": name, "path": str(pulled.path), **{key: getattr(pulled, key) for key in keys}}
