"""Searches whose best is one recipe of experts: how it is read, evaluated and exported, whatever the algorithm."""

from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from infra.configs.common import ExpertsConfig
from infra.configs.yaml_files import validate
from infra.files.run_folder import RunFolder
from infra.observing.views import SummaryText
from infra.records.store import Records
from infra.records.values import RunRecord
from infra.run.search import ExportOptions, Json, Search
from infra.searches.best_recipe import BestRecipe
from infra.settings import Settings
from swarm.errors import InputError
from swarm.recipes import BASE, Recipe

if TYPE_CHECKING:
    from experts.base_models import BaseModel
    from experts.basis import Basis, FullBasis
    from infra.evaluation.subject import Subject

Config = TypeVar("Config", bound=ExpertsConfig)


class RecipeSearch(Search[Config]):
    """An algorithm whose best is a recipe of the experts in its configuration."""

    @abstractmethod
    def coefficients(self, state: Json) -> tuple[float, ...] | None:
        """Return the coefficients [n] of the best as of the saved `state`; None before there is one."""

    def initial_basis(self, config: Config, base: "BaseModel") -> "Basis | FullBasis":
        """Return the experts."""
        from experts.basis import load_basis

        return load_basis(config.experts, base)

    def bases(self, run: RunRecord) -> tuple[str, ...]:
        """Return the experts' names, then the base model's if it is one of them."""
        return (*run.config["experts"], *([BASE] if run.config["include_base"] else []))

    def summary_text(self, summary: Json) -> SummaryText:
        """Return the recipe in one line."""
        coefficients = summary["ending_best"]["recipe"]["coefficients"]
        recipe = " + ".join(f"{value:.2f}·{name}" for name, value in coefficients.items())
        return SummaryText("best expert", f"recipe: {recipe}".replace("+ -", "− "), "adapter")

    def best_recipe(self, records: Records, settings: Settings, run: RunRecord) -> BestRecipe:
        """Return the best of `run`, finished or not, with its experts read and checked.

        Raises:
            InputError: it has no best yet, or its base model or an expert is gone or changed.

        """
        from experts.base_models import resolve_base_model
        from infra.run.prepare import require_unchanged

        iterations = records.iterations(run.name)
        state = iterations[-1].state if iterations else {}
        coefficients = self.coefficients(state) if iterations else None
        best = self.best_so_far(run, state) if iterations else None
        if coefficients is None or best is None:
            raise InputError(
                f"run {run.name!r} has no global best yet: wait for its first iteration, or: swarm resume {run.name}"
            )
        folder = RunFolder(settings.runs, run.name)
        config = validate(folder.read_config(), self.schema, str(folder.config))
        base = resolve_base_model(config.base_model, settings.cache, settings.verify_hashes)
        basis = self.initial_basis(config, base)
        experts = {f"expert {name}": key for name, key in zip(basis.names, basis.ids, strict=True)}
        require_unchanged(run, {"base model": base.sha256, **experts})
        bases = (*basis.ids, BASE) if config.include_base else basis.ids
        recipe = Recipe(bases, coefficients, config.space)
        search = (self.title, self.paper)
        return BestRecipe(run, search, iterations[-1].iteration, best, recipe, self.bases(run), base, basis)

    def subject(self, records: Records, settings: Settings, run: RunRecord) -> "Subject":
        """Return the best as a model that answers alone."""
        from infra.evaluation.subject import Subject

        best = self.best_recipe(records, settings, run)
        return Subject.of_recipe(f"best of run {run.name}", best.recipe, best.basis, best.base)

    def export(
        self, records: Records, settings: Settings, run: RunRecord, folder: Path, options: ExportOptions
    ) -> dict[str, Any]:
        """Write the best as an adapter, or a whole model, with a model card."""
        from infra.searches.recipe_export import write_export

        if options.iteration is not None:
            raise InputError(
                f"--iteration {options.iteration}: run {run.name!r} has a best of all iterations: leave it out"
            )
        return write_export(self.best_recipe(records, settings, run), folder, options.merged)
