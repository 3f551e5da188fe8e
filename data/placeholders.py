r"""The placeholders of templates: which a template has, which there may be, and what each stands for.

A placeholder is a name in braces: `{question}`, `{choices}`, `{context}`, or any other field of the examples. Other
braces are text, because templates hold JSON and LaTeX: those of LaTeX commands (`\boxed{x}`, `x^{n}`), and all that
hold something else than a name.
"""

import difflib
import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from data.examples import Example, InvalidExample
from data.text import show_value

QUESTION, CHOICES, CONTEXT = "{question}", "{choices}", "{context}"
"""The placeholders that have a meaning of their own; the first is in every template."""

OWN_NAMES = ("question", "choices", "context")
"""The names of these placeholders."""

_LATEX = re.compile(r"(?:\\[A-Za-z]+\*?|[\^_])(?:\{[^{}]*\})+")
_BRACES = re.compile(r"\{([^\W\d][\w-]*|)\}")


def placeholder_names(template: str) -> list[str]:
    """Return the names in braces that are no part of LaTeX, each once, in their order; "" for empty braces."""
    return list(dict.fromkeys(_BRACES.findall(_LATEX.sub("", template))))


def require_placeholders(template: str, *placeholders: str) -> None:
    """Raise `ValueError` if a placeholder is missing in `template`, or has no name."""
    for placeholder in placeholders:
        if placeholder not in template:
            raise ValueError(f"template {template!r} has no {placeholder}: write it where the text belongs")
    if "" in placeholder_names(template):
        raise ValueError(
            f"template {template!r} has the empty placeholder {{}}: name a field in it, or write {{ }} for braces"
        )


def require_known(template: str, names: Collection[str]) -> None:
    """Raise `ValueError` if `template` has a placeholder that is none of `names`."""
    for name in placeholder_names(template):
        if name and name not in names:
            raise ValueError(f"template {template!r} has {unknown_placeholder(name, names)}")


def unknown_placeholder(name: str, names: Collection[str]) -> str:
    """Return what is wrong with the placeholder `name`, and what to do, where only `names` are known."""
    known = ", ".join(f"{{{known}}}" for known in names)
    near = difflib.get_close_matches(name, names, n=1)
    remedy = f"did you mean {{{near[0]}}}?" if near else "name one of them"
    return f"the placeholder {{{name}}}, but there is only {known}: {remedy}, or write {{ {name} }} for braces"


def fields_in(template: str, fields: Iterable[str]) -> list[str]:
    """Return those of `fields` that `template` has as placeholders, in their order."""
    return [field for field in fields if f"{{{field}}}" in template]


def require_fields(template: str, example: Example, fields: Sequence[str]) -> None:
    """Check that `example` has something to put where `template` has placeholders.

    Args:
        template: the template.
        example: the example.
        fields: every field besides `question` and `choices` that the template may name.

    Raises:
        InvalidExample: it lacks a field, or the field holds something else than a text or a number.

    """
    if CHOICES in template and not example.choices:
        raise InvalidExample("choices", f"is missing, but the template has {CHOICES}: give them, or remove it")
    if CONTEXT in template and not example.has_context:
        raise InvalidExample("context", f"is missing, but the template has {CONTEXT}: give it, or remove {CONTEXT}")
    for field in fields_in(template, fields):
        if field not in example.extra:
            raise InvalidExample(
                field, f"is missing, but the template has {{{field}}}: give it, or remove the placeholder"
            )
        if not _is_shown(example.extra[field]):
            raise InvalidExample(
                field,
                f"{show_value(example.extra[field])} is neither text nor number, but the template has {{{field}}}: "
                "write a text, or remove the placeholder",
            )


def fill(template: str, example: Example, context: str) -> str:
    """Return `template` filled with `example` and `context`, the part of its context that is read.

    Chunks of a context that the template has no place for stand before it, as in Heterogeneous Swarms' public code.
    """
    choices = "\n".join(f"{key}: {text}" for key, text in example.choices)
    values = {
        **{f"{{{field}}}": str(value) for field, value in example.extra.items() if _is_shown(value)},
        QUESTION: example.question,
        CHOICES: choices,
        CONTEXT: context,
    }
    # One pass, so that a placeholder inside a question stays what it is: text.
    pattern = "|".join(re.escape(placeholder) for placeholder in values if placeholder in template)
    filled_template = re.sub(pattern, lambda match: values[match.group()], template) if pattern else template
    prepended = context and example.context and CONTEXT not in template
    return f"Context: {context}\n{filled_template}" if prepended else filled_template


def _is_shown(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)
