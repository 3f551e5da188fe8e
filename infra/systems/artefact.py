"""A system as a folder that runs wherever its base model is: `system.json`, and a folder of weights a model."""

import json
from dataclasses import dataclass
from pathlib import Path

from experts.adapters import WEIGHTS
from experts.base_models import BaseModel
from experts.basis import Basis, FullBasis, load_basis
from experts.export import export_adapter, export_merged
from experts.files import file_sha256, publish_folder
from experts.seed_basis import SeedBasis
from experts.tensors import weight_files
from infra.configs.systems import SystemConfig
from infra.evaluation.inputs import RunInputs
from infra.systems.free_question import QuestionFormat, question_format_of
from infra.systems.system_file import (
    SYSTEM_FILE,
    SavedBase,
    SavedModel,
    SavedNode,
    SystemFile,
    read_system_file,
)
from swarm.canonical import content_hash
from swarm.errors import InputError
from swarm.graphs import Dag
from swarm.recipes import Recipe, Space
from swarm.systems import System


@dataclass(frozen=True)
class LoadedSystem:
    """A system that was read from its folder.

    Attributes:
        system: its recipes name one of `basis` each; its assignment is the number of the model in the file.
        basis: its models.
        prompts: what its nodes are told.
        question_format: how it is asked a question.
        models: what each of its models is made of, for people.

    """

    system: System
    basis: Basis | FullBasis
    prompts: SystemConfig
    question_format: QuestionFormat
    models: tuple[SavedModel, ...]


def save_system(folder: Path, system: System, inputs: RunInputs, prompts: SystemConfig) -> str:
    """Publish `system`, whole or not at all, and return the SHA-256 of its file, which names those of the weights.

    A model that stands in several nodes is written once. Equal systems give equal bytes.

    Raises:
        InputError: the folder can't be written.

    """
    recipes = list(dict.fromkeys(system.recipes))
    with publish_folder(folder) as temporary:
        models = [_save_model(temporary, number, recipe, inputs) for number, recipe in enumerate(recipes)]
        file = SystemFile(
            format="model-swarms/system",
            version=1,
            base_model=SavedBase(name=inputs.base.name, sha256=inputs.base.sha256),
            successor=list(system.dag.successor),
            nodes=[
                SavedNode(model=recipes.index(recipe), role=role)
                for recipe, role in zip(system.recipes, system.roles, strict=True)
            ],
            models=models,
            prompts=prompts,
            asking=question_format_of(inputs.objective.tasks[0]),
        )
        text = json.dumps(file.model_dump(mode="json"), indent=2, ensure_ascii=False, allow_nan=False)
        (temporary / SYSTEM_FILE).write_text(f"{text}\n", encoding="utf-8")
        return file_sha256(temporary / SYSTEM_FILE)


def load_system(folder: Path, base: BaseModel) -> LoadedSystem:
    """Read the system in `folder`, which may come from anywhere: nothing in it is trusted.

    Raises:
        InputError: a file is missing, damaged or not the one that was saved, leads out of `folder`, or belongs to
            another base model.

    """
    file = read_system_file(folder)
    if file.base_model.sha256 != base.sha256:
        raise InputError(
            f"{folder / SYSTEM_FILE}: base_model is {file.base_model.name!r} ({file.base_model.sha256[:12]}…), not "
            f"{base.name!r} ({base.sha256[:12]}…): give the base model that the system was made of"
        )
    folders = [_model_folder(folder, model) for model in file.models]
    basis = load_basis(folders, base)
    single_models = [_only(basis.ids, number) for number in range(len(folders))]
    system = System(
        Dag(tuple(file.successor)),
        tuple(single_models[node.model] for node in file.nodes),
        tuple(node.role for node in file.nodes),
        tuple(node.model for node in file.nodes),
    )
    return LoadedSystem(system, basis, file.prompts, file.asking, tuple(file.models))


def _save_model(folder: Path, number: int, recipe: Recipe, inputs: RunInputs) -> SavedModel:
    name, basis = f"models/{number}", inputs.basis
    if isinstance(basis, SeedBasis):
        raise TypeError("a system is made of experts, not of seeds")
    export = export_adapter if isinstance(basis, Basis) else export_merged
    return SavedModel(
        folder=name,
        sha256=export(basis, recipe, folder / name, inputs.base),
        space=recipe.space.value,
        coefficients=dict(zip(inputs.names, recipe.coefficients, strict=True)),
    )


def _model_folder(folder: Path, model: SavedModel) -> Path:
    """Return the folder of `model`; refuse a link out of `folder`, and weights that are not those that were saved."""
    path = folder / model.folder
    if path.resolve() != folder.resolve() / model.folder:
        raise InputError(f"{path} is a link that leads elsewhere: copy the whole folder again")
    if not path.is_dir():
        raise InputError(f"{path} is missing: copy the whole folder again")
    sha256 = _weights_sha256(path)
    if sha256 != model.sha256:
        raise InputError(
            f"{path}: its weights are not those that were saved (sha256 {sha256[:12]}…, not {model.sha256[:12]}…): "
            "copy the whole folder again"
        )
    return path


def _weights_sha256(folder: Path) -> str:
    """Return what `export_adapter` or `export_merged` returned as it wrote `folder`."""
    if (folder / WEIGHTS).is_file():
        return file_sha256(folder / WEIGHTS)
    return content_hash({file.name: file_sha256(file) for file in weight_files(folder)})


def _only(ids: tuple[str, ...], number: int) -> Recipe:
    return Recipe(ids, tuple(float(index == number) for index in range(len(ids))), Space.FACTORS)
