"""Export a recipe of experts: an adapter, or a whole model, and a model card that says where it is from."""

from pathlib import Path
from typing import Any

from experts.basis import Basis
from experts.export import export_adapter, export_merged
from experts.files import publish_folder
from infra.searches.best_recipe import BestRecipe
from infra.searches.model_card import model_card


def write_export(best: BestRecipe, folder: Path, merged: bool) -> dict[str, Any]:
    """Write weights and model card of `best` to `folder`, both at once; return what was written.

    Raises:
        InputError: the folder can't be written.

    """
    adapter = isinstance(best.basis, Basis) and not merged
    target = folder.absolute()
    with publish_folder(target) as temporary:
        if isinstance(best.basis, Basis) and not merged:
            sha256 = export_adapter(best.basis, best.recipe, temporary, best.base)
        else:
            sha256 = export_merged(best.basis, best.recipe, temporary, best.base)
        card = model_card(best, temporary, sha256, target.name)
        (temporary / "README.md").write_text(card, encoding="utf-8")
    return {
        "run": best.run.name,
        "folder": str(folder),
        "kind": "adapter" if adapter else "merged model",
        "sha256": sha256,
        "recipe": best.recipe.to_json(),
        "names": list(best.names),
        "dev": best.best.utility,
        "finished": best.run.summary is not None,
    }
