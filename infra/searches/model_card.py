"""The model card of an export: what it is, how good, made of what, and how it is loaded."""

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from experts.files import read_json
from infra.report.markdown import code, plain
from infra.searches.best_recipe import BestRecipe
from swarm.names import printable
from swarm.recipes import BASE, Space

_VLLM_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""What vLLM accepts as --max-lora-rank."""

_SIGNIFICANT = 0.05

_SPACES = {
    Space.FACTORS: "LoRA's A and B are combined separately: A = Σ c·A, B = Σ c·B",
    Space.PRODUCT: "the updates are combined: ΔW = Σ c·BA",
}


def model_card(best: BestRecipe, folder: Path, sha256: str, name: str) -> str:
    """Return the README.md (with the hub's YAML header) of the export of `best` that lies in `folder`.

    Args:
        best: what was exported.
        folder: holds the weights; an `adapter_config.json` in it says that they are an adapter.
        sha256: of the weights.
        name: what the export's folder will be called.

    """
    rank = _rank(folder)
    title, paper = best.search
    kind = "A whole model" if rank is None else f"A LoRA adapter (rank {rank})"
    parts = [
        f"---\n{yaml.safe_dump(_header(best, rank is not None), sort_keys=False, allow_unicode=True)}---",
        f"# {plain(best.run.name)}",
        f"{kind} over {code(best.base.name)}: a linear combination of experts, found by {title} ({paper}).",
        f"## How good it is\n\n{_results(best)}",
        f"## What it is made of\n\n{_recipe(best)}",
        f"## How to load it\n\n{_model_usage(name) if rank is None else _adapter_usage(best.base.name, name, rank)}",
        f"## Lineage\n\n{_lineage(best, sha256)}",
    ]
    return "\n\n".join(parts) + "\n"


def _rank(folder: Path) -> int | None:
    config = folder / "adapter_config.json"
    return int(read_json(config)["r"]) if config.is_file() else None


def _header(best: BestRecipe, adapter: bool) -> dict[str, Any]:
    return {
        "base_model": best.base.name,
        "library_name": "peft" if adapter else "transformers",
        "pipeline_tag": "text-generation",
        "tags": ["model-swarms", "merge", *(["lora"] if adapter else [])],
    }


def _results(best: BestRecipe) -> str:
    summary = best.run.summary
    if summary is None:
        return (
            f"The search is not finished: this is its global best as of iteration {best.iteration}, with a dev utility "
            f"of {best.best.utility:.4f}. It was chosen on these dev examples and has not been tested."
        )
    start, end = summary["starting_best"], summary["ending_best"]
    rows = [
        ("", "dev", "test", "95 % interval"),
        ("---",) * 4,
        (f"best expert before ({plain(start['expert'])})", *_scores(start)),
        ("this", *_scores(end)),
    ]
    return f"{_table(rows)}\n\n{_verdict(start, end)}"


def _verdict(start: dict[str, Any], end: dict[str, Any]) -> str:
    choice = "It was chosen by its dev utility, which therefore flatters it"
    p = end["p_value_vs_starting_best"]
    if p is None:
        return f"{choice}; there is no test."
    change = end["test"] - start["test"]
    if p < _SIGNIFICANT:
        finding = f"it is {'better' if change > 0 else 'worse'} than the best expert before by {abs(change):.4f}"
    else:
        finding = f"there is no evidence that it differs from the best expert before ({change:+.4f})"
    return f"{choice}. On the test examples {finding} (paired bootstrap, p = {p:.4f})."


def _recipe(best: BestRecipe) -> str:
    rows = [("expert", "coefficient", "SHA-256"), ("---", "---:", "---")]
    for name, coefficient, key in zip(best.names, best.recipe.coefficients, best.recipe.bases, strict=True):
        rows.append((plain(name), f"{coefficient:+.6f}", "the base model itself" if key == BASE else f"`{key}`"))
    return f"{_table(rows)}\n\nSpace `{best.recipe.space.value}`: {_SPACES[best.recipe.space]}."


def _adapter_usage(base: str, name: str, rank: int) -> str:
    least = next((limit for limit in _VLLM_RANKS if limit >= rank), None)
    flags = f"--enable-lora --max-lora-rank {least} --lora-modules {_argument(f'{name}=./{name}')}"
    vllm = (
        f"With vLLM:\n\n```sh\nvllm serve {_argument(base)} {flags}\n```"
        if least is not None
        else f"vLLM takes adapters up to rank {_VLLM_RANKS[-1]}: for it, export with `--merged`."
    )
    return (
        "```python\nfrom peft import PeftModel\nfrom transformers import AutoModelForCausalLM\n\n"
        f"base = AutoModelForCausalLM.from_pretrained({base!r})  # the base model's folder, or its id on the hub\n"
        f"model = PeftModel.from_pretrained(base, {name!r})\n```\n\n{vllm}"
    )


def _model_usage(name: str) -> str:
    return (
        "```python\nfrom transformers import AutoModelForCausalLM\n\n"
        f"model = AutoModelForCausalLM.from_pretrained({name!r})\n```\n\n"
        f"With vLLM:\n\n```sh\nvllm serve {_argument(f'./{name}')}\n```"
    )


def _lineage(best: BestRecipe, sha256: str) -> str:
    run = best.run
    objective = run.config["objective"]
    facts = {
        "run": f"{plain(run.name)} ({run.algorithm}, seed {run.seed})",
        "found": f"in iteration {best.best.iteration} of {best.iteration}, by {plain(best.best.finder)}",
        "base model": f"{plain(best.base.name)}, SHA-256 `{best.base.sha256}`",
        "objective": f"{objective['aggregate']} of {', '.join(map(_task, objective['tasks']))}",
        "objective's SHA-256": f"`{run.identity['objective']}`",
        "weights' SHA-256": f"`{sha256}`",
        "search": code(json.dumps(run.config["search"], sort_keys=True)),
    }
    if run.summary is not None:
        facts["data"] = ", ".join(f"{plain(task)} `{key}`" for task, key in run.summary["objective"].items())
        facts["cost"] = f"{run.summary['evaluations']} evaluations, {run.summary['generated_tokens']} tokens generated"
    return "\n".join(f"- {fact}: {value}" for fact, value in facts.items())


def _task(task: dict[str, Any]) -> str:
    return plain(f"{task['name'] or Path(task['data']).stem} ({task['kind']})")


def _argument(text: str) -> str:
    """Return `text` as one argument of a shell's command, on one line."""
    return shlex.quote(printable(text))


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _scores(result: dict[str, Any]) -> tuple[str, str, str]:
    return _number(result["dev"]), _number(result["test"]), _interval(result.get("test_ci95"))


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _interval(bounds: list[float] | None) -> str:
    return "" if bounds is None else f"{bounds[0]:.4f} – {bounds[1]:.4f}"
