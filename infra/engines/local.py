"""The engines that compute on the machine where they are opened, by kind; a pool's actors open theirs here, too."""

from collections.abc import Mapping

from experts.base_models import BaseModel
from experts.bases import AnyBasis
from infra.engines.base import Engine, EngineKind
from infra.engines.config import EngineConfig
from infra.engines.packed.identity import packed_identity
from infra.engines.vllm.identity import vllm_identity


def _open_packed(config: EngineConfig, base: BaseModel, basis: AnyBasis) -> Engine:
    from infra.engines.packed.engine import TransformersEngine

    return TransformersEngine(config, base, basis)


def _open_vllm(config: EngineConfig, base: BaseModel, basis: AnyBasis) -> Engine:
    from infra.engines.vllm.engine import VllmEngine

    return VllmEngine(config, base, basis)


LOCAL_ENGINES: Mapping[str, EngineKind] = {
    kind.name: kind
    for kind in (
        EngineKind("transformers", packed_identity, _open_packed),
        EngineKind("vllm", vllm_identity, _open_vllm),
    )
}


def local_identity(config: EngineConfig, base: BaseModel, here: bool = True) -> str:
    """Return the identity of the engine of `config`, a local one; see `infra.engines.base.EngineIdentity`."""
    return LOCAL_ENGINES[config.kind].identity(config, base, here)


def open_local(config: EngineConfig, base: BaseModel, basis: AnyBasis) -> Engine:
    """Open the engine of `config`, a local one, as the only engine on its GPU; raises as `open_engine` does."""
    return LOCAL_ENGINES[config.kind].open(config, base, basis)
