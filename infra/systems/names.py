"""Name a model of a system for people."""

from collections.abc import Mapping

MOST_PARTS = 3
_LEAST = 0.005


def recipe_name(coefficients: Mapping[str, float]) -> str:
    """Return what a model is made of in a few words: its largest coefficients by name, the largest first."""
    parts = sorted(coefficients.items(), key=lambda part: (-abs(part[1]), part[0]))
    large = [(name, value) for name, value in parts if abs(value) >= _LEAST]
    if [f"{value:.2f}" for _, value in large] == ["1.00"]:
        return large[0][0]
    text = " ".join(_part(index, name, value) for index, (name, value) in enumerate(large[:MOST_PARTS]))
    return (f"{text} + …" if len(large) > MOST_PARTS else text) or "nothing"


def _part(index: int, name: str, value: float) -> str:
    sign = "− " if value < 0 else "+ " if index else ""
    return f"{sign}{abs(value):.2f} {name}"
