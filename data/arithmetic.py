"""Compute arithmetic that a model wrote exactly: the text is parsed, never run, and must be short and shallow."""

import ast
import re
from fractions import Fraction

MAX_LENGTH, MAX_DEPTH = 200, 20
"""Longer texts (characters), and terms nested deeper, have no value."""

_WRITTEN = re.compile(r"[0-9+\-*/() ]+\n?")


def value_of(text: str) -> Fraction | None:
    """Return the exact value of `text`, or None if it is no arithmetic, divides by 0, or is too long or too deep.

    Whole numbers, `+`, `-` (also as signs), `*`, `/` and parentheses are arithmetic; `**` and `//` are not.
    """
    if len(text) > MAX_LENGTH or not _WRITTEN.fullmatch(text) or _nesting(text) > MAX_DEPTH:
        return None
    try:
        return _value(ast.parse(text.strip(), mode="eval").body, MAX_DEPTH)
    except (SyntaxError, ZeroDivisionError, _NotArithmeticError):
        return None


class _NotArithmeticError(ValueError):
    """Raised for a syntax tree that is no arithmetic or is too deep."""


def _nesting(text: str) -> int:
    """Return how deep the parentheses are nested: Python's parser is slow with hundreds of open ones."""
    depth = deepest = 0
    for character in text:
        depth += (character == "(") - (character == ")")
        deepest = max(deepest, depth)
    return deepest


def _value(node: ast.expr, depth: int) -> Fraction:
    if depth == 0:
        raise _NotArithmeticError
    match node:
        case ast.Constant(value=int(number)):
            return Fraction(number)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _value(operand, depth - 1)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, depth - 1)
        case ast.BinOp(left=left, op=operation, right=right):
            return _apply_operator(operation, _value(left, depth - 1), _value(right, depth - 1))
    raise _NotArithmeticError


def _apply_operator(operation: ast.operator, left: Fraction, right: Fraction) -> Fraction:
    match operation:
        case ast.Add():
            return left + right
        case ast.Sub():
            return left - right
        case ast.Mult():
            return left * right
        case ast.Div():
            return left / right
    raise _NotArithmeticError
