"""The table of engines: built-in kinds, and kinds that other distributions add."""

from pathlib import Path

import pytest

from data.plugins import Entry
from data.requests import Completion, Generate
from experts.base_models import BaseModel
from experts.basis import Basis
from infra.engines.config import ENGINE_PLUGINS, EngineConfig
from infra.engines.kinds import ENGINES, engine_entries, engine_identity, open_engine
from swarm.errors import InputError
from swarm.recipes import Recipe, Space
from tests.distributions import install

BASE = BaseModel("tiny", Path("/nowhere"), "a" * 64)
BASIS = Basis(("b" * 64,), ("expert",), (1,), {})

ECHO = '''
from data.requests import Completion
from infra.engines.base import EngineKind


class Echo:
    """Answers with the prompt."""

    slots = 1
    identity = "echo"

    def run(self, population, requests, progress=None):
        return [[Completion(request.prompt, 1) for request in mine] for mine in requests]

    def close(self):
        pass


KIND = EngineKind("echo", lambda config, base, here=True: "echo", lambda config, base, basis: Echo(), False)
OTHER = EngineKind("other", KIND.identity, KIND.open)
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_every_built_in_kind_is_called_by_its_own_name_and_can_be_configured() -> None:
    assert {name: kind.name for name, kind in ENGINES.items()} == {name: name for name in ENGINES}
    assert [EngineConfig.model_validate({"kind": name}).kind for name in ENGINES] == list(ENGINES)
    assert list(ENGINE_PLUGINS.built_in) == list(ENGINES)
    assert engine_entries() == []


def test_an_engine_of_another_distribution_is_configured_identified_and_opened(folder: Path) -> None:
    install(folder, "echoes", ENGINE_PLUGINS.group, {"echo": "echo_engine:KIND"}, echo_engine=ECHO)
    config = EngineConfig(kind="echo", device="cpu")
    assert engine_identity(config, BASE) == "echo"
    engine = open_engine(config, BASE, BASIS)
    population = [Recipe(BASIS.ids, (1.0,), Space.PRODUCT)]
    assert engine.run(population, [[Generate("hello", 3)]]) == [[Completion("hello", 1)]]
    engine.close()
    assert engine_entries() == [Entry("echo", "echoes 1.0")]


def test_a_kind_with_another_name_than_its_entry_point_is_refused(folder: Path) -> None:
    install(folder, "liars", ENGINE_PLUGINS.group, {"liar": "liar_engine:OTHER"}, liar_engine=ECHO)
    with pytest.raises(InputError) as caught:
        engine_identity(EngineConfig(kind="liar"), BASE)
    assert str(caught.value) == (
        "engine.kind: liar of liars 1.0: liar_engine:OTHER calls itself 'other', not 'liar': "
        "repair, update or uninstall it"
    )


def test_a_kind_that_can_not_be_loaded_is_refused_only_where_it_is_used(folder: Path) -> None:
    install(
        folder, "broken", ENGINE_PLUGINS.group, {"broken": "broken_engine:KIND"}, broken_engine="import no_such_thing\n"
    )
    config = EngineConfig(kind="broken")
    with pytest.raises(InputError, match=r"^engine\.kind: broken of broken 1\.0: broken_engine:KIND can't be loaded"):
        open_engine(config, BASE, BASIS)
