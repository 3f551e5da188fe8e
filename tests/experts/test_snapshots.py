"""Snapshots only save time: with them, without them, and with damaged ones, the weights have the same bits."""

import logging
import os
import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from experts.base_models import BaseModel
from experts.evolved import EvolvedWeights
from experts.evolved_export import export_evolved
from experts.perturbations import Perturbations
from experts.seed_basis import SeedBasis
from experts.snapshots import SNAPSHOTS_TO_KEEP, Snapshots
from swarm.seeds import BASE_START, Journal, Mode, Perturbation, SeedRecipe, Update

CPU = torch.device("cpu")
KINDS = {
    "full": Perturbation(Mode.FULL, 0, ()),
    "low rank": Perturbation(Mode.LOW_RANK, 2, ("down_proj", "q_proj")),
    "adapter": Perturbation(Mode.ADAPTER, 2, ("q_proj", "v_proj")),
}
UPDATES = tuple(Update((10 * t, 10 * t + 1), (0.1, -0.03 * t), 0.9 if t == 3 else 1.0) for t in range(12))


def journal(updates: int) -> Journal:
    return Journal().extend(*UPDATES[:updates])


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Perturbation:
    return KINDS[request.param]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "snapshots"


def at(base: BaseModel, kind: Perturbation, updates: int, snapshots: Snapshots | None = None) -> EvolvedWeights:
    weights = EvolvedWeights(SeedBasis(base, kind, snapshots=snapshots), {}, CPU)
    weights.go_to(BASE_START, journal(updates))
    return weights


def searched(base: BaseModel, kind: Perturbation, folder: Path, every: int = 2) -> None:
    """Move on update by update to the last, as a search does."""
    weights = EvolvedWeights(SeedBasis(base, kind, snapshots=Snapshots(folder, every)), {}, CPU)
    for updates in range(len(UPDATES) + 1):
        weights.go_to(BASE_START, journal(updates))


def counts(folder: Path) -> list[int]:
    return sorted(int(path.name[:6]) for path in folder.iterdir())


@pytest.fixture
def replayed(monkeypatch: pytest.MonkeyPatch) -> list[Update]:
    """Each tensor's updates from now on."""
    seen: list[Update] = []
    real = Perturbations.update

    def watched(self: Perturbations, weights: dict[str, torch.Tensor], starts: object, update: Update) -> None:
        seen.append(update)
        real(self, weights, starts, update)  # type: ignore[arg-type]

    monkeypatch.setattr(Perturbations, "update", watched)
    return seen


def test_the_last_ones_are_kept(base: BaseModel, folder: Path) -> None:
    searched(base, KINDS["low rank"], folder)
    assert counts(folder) == [8, 10, 12]
    assert SNAPSHOTS_TO_KEEP == 3


def test_none_is_written_unless_it_is_asked_for(base: BaseModel, folder: Path) -> None:
    searched(base, KINDS["low rank"], folder, every=0)
    assert not folder.exists()


def test_weights_from_a_snapshot_are_those_of_the_whole_replay(
    base: BaseModel, kind: Perturbation, folder: Path, replayed: list[Update]
) -> None:
    searched(base, kind, folder, every=4)  # 4, 8, 12
    for updates in (2, 4, 7, 9, 12):
        wanted = at(base, kind, updates).sha256
        replayed.clear()
        assert at(base, kind, updates, Snapshots(folder)).sha256 == wanted
        assert set(replayed) == set(UPDATES[updates - updates % 4 : updates])


def test_an_export_begins_at_the_nearest_snapshot(
    base: BaseModel, kind: Perturbation, folder: Path, replayed: list[Update], tmp_path: Path
) -> None:
    searched(base, kind, folder, every=4)
    for updates in (3, 10):
        recipe = SeedRecipe.of(BASE_START, kind, journal(updates))
        plain = export_evolved(SeedBasis(base, kind), recipe, tmp_path / "plain")
        replayed.clear()
        basis = SeedBasis(base, kind, snapshots=Snapshots(folder))
        assert export_evolved(basis, recipe, tmp_path / "quick") == plain
        assert set(replayed) == set(UPDATES[updates // 4 * 4 : updates])
        for file in (tmp_path / "plain").iterdir():
            assert (tmp_path / "quick" / file.name).read_bytes() == file.read_bytes()


def test_a_long_way_on_is_shortened_too(base: BaseModel, folder: Path, replayed: list[Update]) -> None:
    kind = KINDS["low rank"]
    searched(base, kind, folder, every=4)
    weights = at(base, kind, 5, Snapshots(folder))
    replayed.clear()
    weights.go_to(BASE_START, journal(11))
    assert set(replayed) == set(UPDATES[8:11])
    assert weights.sha256 == at(base, kind, 11).sha256


def _truncated(path: Path, base: BaseModel) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _flipped(path: Path, base: BaseModel) -> None:
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)


def _empty(path: Path, base: BaseModel) -> None:
    path.write_bytes(b"")


def _without_metadata(path: Path, base: BaseModel) -> None:
    save_file(load_file(path), path)


def _of_other_weights(path: Path, base: BaseModel) -> None:
    """Another search's, under the right name, in order in itself."""
    other = Perturbation(Mode.LOW_RANK, 1, ("down_proj", "q_proj"))
    searched(base, other, path.parent.parent / "other", every=4)
    (path.parent.parent / "other" / path.name).replace(path)


DAMAGES = {
    "truncated": (_truncated, "snapshot .* is not used"),
    "one bit": (_flipped, "its tensors are not those that were written"),
    "empty": (_empty, "snapshot .* is not used"),
    "no metadata": (_without_metadata, "it is of another search"),
    "of another search": (_of_other_weights, "it is of another search"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_snapshot_that_is_not_in_order_is_ignored_and_said(
    base: BaseModel, folder: Path, name: str, caplog: pytest.LogCaptureFixture, replayed: list[Update]
) -> None:
    damage, message = DAMAGES[name]
    kind = KINDS["low rank"]
    searched(base, kind, folder, every=4)
    damage(next(path for path in folder.iterdir() if path.name.startswith("000008")), base)
    wanted = at(base, kind, 10).sha256
    replayed.clear()
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        assert at(base, kind, 10, Snapshots(folder)).sha256 == wanted
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert re.search(message, caplog.text)
    assert set(replayed) == set(UPDATES[4:10]), "the one before it should have been used"


def test_deleted_snapshots_are_not_missed(base: BaseModel, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    kind = KINDS["low rank"]
    searched(base, kind, folder)
    for path in folder.iterdir():
        path.unlink()
    assert at(base, kind, 10, Snapshots(folder)).sha256 == at(base, kind, 10).sha256
    assert not caplog.records


def test_snapshots_of_another_journal_are_not_used(base: BaseModel, folder: Path) -> None:
    kind = KINDS["low rank"]
    searched(base, kind, folder)
    other = Journal().extend(*(Update((seed,), (0.2,)) for seed in range(12)))
    quick = EvolvedWeights(SeedBasis(base, kind, snapshots=Snapshots(folder)), {}, CPU)
    plain = EvolvedWeights(SeedBasis(base, kind), {}, CPU)
    for weights in (quick, plain):
        weights.go_to(BASE_START, other)
    assert quick.sha256 == plain.sha256


def test_a_snapshot_that_cannot_be_written_stops_nothing(
    base: BaseModel, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kind = KINDS["low rank"]
    folder.write_text("a file where the folder should be")
    weights = EvolvedWeights(SeedBasis(base, kind, snapshots=Snapshots(folder, 2)), {}, CPU)
    weights.go_to(BASE_START, journal(2))
    assert "no snapshot is written" in caplog.text
    assert weights.sha256 == at(base, kind, 2).sha256


def test_what_a_killed_process_left_is_cleared_away(base: BaseModel, folder: Path) -> None:
    folder.mkdir()
    left = folder / f".000002-{'0' * 16}.safetensors.abc"
    left.write_bytes(b"half")
    searched(base, KINDS["low rank"], folder, every=4)
    assert not left.exists()
