"""What a model of a system is called where people read it."""

from collections.abc import Mapping

SHOWN = 3
_LEAST = 0.005


def recipe_name(coefficients: Mapping[str, float]) -> str:
    """Return what a model is made of in a few words: its largest coefficients by name, the largest first."""
    parts = sorted(coefficients.items(), key=lambda part: (-abs(part[1]), part[0]))
    kept = [(name, value) for name, value in parts if abs(value) >= _LEAST]
    if [f"{value:.2f}" for _, value in kept] == ["1.00"]:
        return kept[0][0]
    shown = " ".join(_part(index, name, value) for index, (name, value) in enumerate(kept[:SHOWN]))
    return (f"{shown} + …" if len(kept) > SHOWN else shown) or "nothing"


def _part(index: int, name: str, value: float) -> str:
    sign = "− " if value < 0 else "+ " if index else ""
    return f"{sign}{abs(value):.2f} {name}"
