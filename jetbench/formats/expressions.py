"""Expressions of columns, as uproot and weaver write them, computed step by step from a syntax tree: nothing is executed.

uproot's own language lets attributes of results through, `(pt + 1).__class__`, and with them any code. Here a text may have what
`ALLOWED` says and nothing else.
"""

from __future__ import annotations

import ast
import difflib
import operator
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np

from jetbench.errors import DataFileError
from jetbench.formats.tables import Columns, Table, first_few

__all__ = ["ComputedTable", "shape_of"]


def _power(base: Any, exponent: Any) -> Any:
    """In floating point, since a power of two written numbers may otherwise fill the memory."""
    return np.power(float(base) if isinstance(base, int) else base, exponent)


BINARY: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
    ast.Pow: _power,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
UNARY: dict[type[ast.AST], Callable[[Any], Any]] = {ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Invert: operator.invert}
# with the names that uproot gives them, numpy's and those of C
NAMES = (
    *(
        "abs",
        "absolute",
        "cbrt",
        "ceil",
        "cos",
        "cosh",
        "exp",
        "expm1",
        "floor",
        "fmax",
        "fmin",
        "hypot",
        "isfinite",
        "isnan",
        "log",
    ),
    *("log10", "log1p", "log2", "maximum", "minimum", "rint", "sign", "sin", "sinh", "sqrt", "square", "tan", "tanh", "trunc"),
    *("arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh"),
)
FUNCTIONS: dict[str, np.ufunc] = {name: getattr(np, name) for name in NAMES}
FUNCTIONS |= {name.replace("arc", "a"): FUNCTIONS[name] for name in NAMES if name.startswith("arc")}
ALLOWED = (
    "an expression may have names of columns, get('a name') for one that is no word, numbers, + - * / % **, comparisons of two, "
    f"& | ^ ~ (not `and`, `or`, `not`), and the functions {', '.join(NAMES)}"
)
MODULES = ("np.", "numpy.")  # before functions, as weaver has them


class Expression:
    """What a text makes of columns that have these names; `reads` are those that it needs. Raises `DataFileError` for a text that
    is none."""

    def __init__(self, text: str, names: Collection[str], path: Path) -> None:
        self._text, self._path = text, path
        try:
            self._tree = ast.parse(text.strip(), mode="eval").body
            self.reads = list(dict.fromkeys(_reads(self._tree)))
        except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
            raise DataFileError(f"{path}: no column {text!r}, and no expression of columns; {_near(text, names)}") from error
        except _NotAllowedError as error:
            raise DataFileError(f"{path}: {text!r} has {error}, which is not allowed; {ALLOWED}") from None
        if unknown := [name for name in self.reads if name not in names]:
            inside = "" if unknown[0] == text else f", which {text!r} names"
            raise DataFileError(f"{path}: no column {unknown[0]!r}{inside}; {_near(unknown[0], names)}")
        if not self.reads:
            raise DataFileError(f"{path}: {text!r} names no column; {_near(text, names)}")

    def compute(self, columns: Columns) -> Any:
        """Compute the column. Raises `DataFileError` where its parts do not fit together."""
        try:
            with np.errstate(all="ignore"):  # what is not finite is looked for by whoever takes the numbers
                return _value(self._tree, columns)
        except (TypeError, ValueError, RecursionError, OverflowError, ZeroDivisionError) as error:
            cause = str(error).strip().partition("\n")[0]
            raise DataFileError(
                f"{self._path}: {self._text!r} cannot be computed ({cause}); & | ^ ~ need truth values, as (a != 0) | (b != 0) "
                "has them, and lists need the same lengths"
            ) from error


class ComputedTable:
    """Columns of a table by their names, and by other keys what these make of them, read as expressions."""

    def __init__(self, table: Table, keys: Sequence[str], path: Path) -> None:
        self.rows, self.names, self._table = table.rows, table.names, table
        self._computed = {key: Expression(key, table.names, path) for key in keys if key not in table.names}

    def shape(self, key: str) -> tuple[int, ...]:
        if key not in self._computed:
            return self._table.shape(key)
        for name in self._computed[key].reads:
            self._table.shape(name)  # which refuses what holds no numbers
        return shape_of(self.rows, next(self.blocks([key], 0, 1))[key])

    def block(self, keys: Sequence[str]) -> int:
        return self._table.block(self._needed(keys))

    def blocks(self, keys: Sequence[str], start: int, step: int) -> Iterator[Columns]:
        for columns in self._table.blocks(self._needed(keys), start, step):
            yield {key: self._computed[key].compute(columns) if key in self._computed else columns[key] for key in keys}

    def close(self) -> None:
        self._table.close()

    def _needed(self, keys: Sequence[str]) -> list[str]:
        needed = (self._computed[key].reads if key in self._computed else [key] for key in keys)
        return list(dict.fromkeys(name for names in needed for name in names))


def shape_of(rows: int, column: Any) -> tuple[int, ...]:
    """Return the shape of a column of so many rows like these; of lists of different lengths the length counts as 0."""
    kind, shape = ak.type(column).content, [rows]
    while isinstance(kind, ak.types.ListType | ak.types.RegularType):
        shape.append(kind.size if isinstance(kind, ak.types.RegularType) else 0)
        kind = kind.content
    return tuple(shape)


class _NotAllowedError(Exception):
    """Names what an expression must not have."""


def _reads(node: ast.AST) -> Iterator[str]:
    """The names of columns in an expression. Raises `_NotAllowedError` for anything that is not `ALLOWED`."""
    parts: Sequence[ast.AST]
    match node:
        case ast.Constant(value=bool() | int() | float()):
            return
        case ast.Name() | ast.Attribute() if name := _dotted(node):
            yield name
            return
        case ast.Call(func=function, args=[ast.Constant(value=str(name))], keywords=[]) if _dotted(function) == "get":
            yield name
            return
        case ast.Call(func=function, args=parts, keywords=[]) if len(parts) == getattr(_function(function), "nin", None):
            pass
        case ast.UnaryOp(op=op, operand=operand) if type(op) in UNARY:
            parts = [operand]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in BINARY:
            parts = [left, right]
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in BINARY:
            parts = [left, right]
        case _:
            raise _NotAllowedError(repr(ast.unparse(node)))
    for part in parts:
        yield from _reads(part)


def _value(node: Any, columns: Columns) -> Any:
    """What a node that `_reads` allows makes of columns."""
    match node:
        case ast.Constant():
            return node.value
        case ast.Name() | ast.Attribute():
            return columns[_dotted(node)]
        case ast.Call(func=function, args=[ast.Constant(value=str(name))]) if _dotted(function) == "get":
            return columns[name]
        case ast.Call():
            return _function(node.func)(*(_value(part, columns) for part in node.args))
        case ast.UnaryOp():
            return UNARY[type(node.op)](_value(node.operand, columns))
        case ast.BinOp():
            return BINARY[type(node.op)](_value(node.left, columns), _value(node.right, columns))
        case _:
            return BINARY[type(node.ops[0])](_value(node.left, columns), _value(node.comparators[0], columns))


def _function(node: ast.AST) -> Any:
    name = _dotted(node)
    for module in MODULES:
        name = name.removeprefix(module)
    return FUNCTIONS.get(name)


def _dotted(node: ast.AST) -> str:
    """A name, or names with dots between them; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    inner = _dotted(node.value) if isinstance(node, ast.Attribute) else ""
    return f"{inner}.{node.attr}" if inner and isinstance(node, ast.Attribute) else ""


def _near(name: str, names: Collection[str]) -> str:
    close = difflib.get_close_matches(name, names, n=1)
    return (f"did you mean {close[0]!r}? " if close else "") + f"it has {first_few(sorted(names))}"
