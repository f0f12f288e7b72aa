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


def _not(value: Any) -> Any:
    """Of truth values alone: ~1 is −2, which is as true as 1."""
    if not str(ak.type(value)).endswith("bool"):
        raise TypeError("~ of numbers")
    return np.logical_not(value)


def _number(value: Any) -> Any:
    """Whole numbers and truth values in 64 bits: in fewer 1 − 2 of unsigned ones is 255, and two truth values add up to one."""
    if not isinstance(value, ak.Array) or str(ak.type(value)).split()[-1].strip("?]") not in NARROW:
        return value
    return ak.values_astype(value, np.int64)


def _of_numbers(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *values: function(*map(_number, values))


Compute = Callable[[Columns], Any]
NARROW = ("bool", "int8", "int16", "int32", "uint8", "uint16", "uint32")
ARITHMETIC: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
    ast.Pow: _power,
}
BINARY: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    **{kind: _of_numbers(do) for kind, do in ARITHMETIC.items()},
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
UNARY: dict[type[ast.AST], Callable[[Any], Any]] = {ast.USub: lambda a: -_number(a), ast.UAdd: _number, ast.Invert: _not}
NAMES = (  # that uproot gives them, numpy's and those of C
    *("abs", "absolute", "cbrt", "ceil", "cos", "cosh", "exp", "expm1", "floor", "fmax", "fmin", "hypot", "isfinite", "isnan"),
    *("log", "log10", "log1p", "log2", "maximum", "minimum", "rint", "sign", "sin", "sinh", "sqrt", "square", "tan", "tanh"),
    *("trunc", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh"),
)
FUNCTIONS: dict[str, np.ufunc] = {name: getattr(np, name) for name in NAMES}
FUNCTIONS |= {name.replace("arc", "a"): FUNCTIONS[name] for name in NAMES if name.startswith("arc")}
ALLOWED = (
    "an expression may have names of columns, get('a name') for one that is no word, numbers, + - * / % **, comparisons of two, "
    f"& | ^ ~ (not `and`, `or`, `not`), and the functions {', '.join(NAMES)}"
)


class MissingColumnError(DataFileError):
    """A text is no column, and no expression of columns that there are."""


class Expression:
    """What a text makes of columns that have these names; `reads` are those that it needs. Raises `MissingColumnError` for a text
    that is none, and `DataFileError` for one that has what is not allowed."""

    def __init__(self, text: str, names: Collection[str], path: Path) -> None:
        self._text, self._path = text, path
        try:
            reads: list[str] = []
            self._compute = _compile(ast.parse(text.strip(), mode="eval").body, reads)
            self.reads = list(dict.fromkeys(reads))
        except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
            raise MissingColumnError(f"{path}: no column {text!r}, and no expression of columns; {_near(text, names)}") from error
        except _NotAllowedError as error:
            raise DataFileError(f"{path}: {text!r} has {error}, which is not allowed; {ALLOWED}") from None
        if unknown := [name for name in self.reads if name not in names]:
            inside = "" if unknown[0] == text else f", which {text!r} names"
            raise MissingColumnError(f"{path}: no column {unknown[0]!r}{inside}; {_near(unknown[0], names)}")
        if not self.reads:
            raise DataFileError(f"{path}: {text!r} names no column; {_near(text, names)}")

    def compute(self, columns: Columns) -> Any:
        """Compute the column. Raises `DataFileError` where its parts do not fit together."""
        try:
            with np.errstate(all="ignore"):  # what is not finite is looked for by whoever takes the numbers
                return self._compute(columns)
        except (TypeError, ValueError, RuntimeError, OverflowError, ZeroDivisionError) as error:
            cause = str(error).strip().partition("\n")[0]
            raise DataFileError(
                f"{self._path}: {self._text!r} cannot be computed ({cause}); & | ^ ~ need truth values, as (a != 0) | (b != 0) "
                "has them, and lists need the same lengths"
            ) from error


class ComputedTable:
    """Columns of a table by their names, and by other keys what these make of them, read as expressions; `names` has both. An
    `optional` key that names a column which is not there is left out."""

    def __init__(self, table: Table, keys: Sequence[str], optional: Sequence[str], path: Path) -> None:
        self.rows, self._table, self._computed = table.rows, table, dict[str, Expression]()
        for key in [key for key in keys if key not in table.names]:
            try:
                self._computed[key] = Expression(key, table.names, path)
            except MissingColumnError:
                if key not in optional:
                    raise
        self.names: Collection[str] = {*table.names, *self._computed}

    def shape(self, key: str) -> tuple[int, ...]:
        if key not in self._computed:
            return self._table.shape(key)
        for name in self._computed[key].reads:
            self._table.shape(name)  # which refuses what holds no numbers
        return shape_of(self.rows, next(self.blocks([key], 0, 1))[key])[0]

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


def shape_of(rows: int, column: Any) -> tuple[tuple[int, ...], ak.types.Type]:
    """Return the shape of a column of so many rows like these, where different lengths of lists count as 0, and the type of what
    the lists hold in the end."""
    kind, shape = ak.type(column).content, [rows]
    while isinstance(kind, ak.types.ListType | ak.types.RegularType) and "__array__" not in kind.parameters:  # a text has it
        shape.append(kind.size if isinstance(kind, ak.types.RegularType) else 0)
        kind = kind.content
    return tuple(shape), kind


class _NotAllowedError(Exception):
    """Names what an expression must not have."""


def _compile(node: ast.AST, reads: list[str]) -> Compute:
    """Turn a syntax tree into what computes it; the names of columns in it go to `reads`. Raises `_NotAllowedError` for anything
    that is not `ALLOWED`."""
    nodes: Sequence[ast.AST]
    match node:
        case ast.Constant(value=bool() | int() | float() as value):
            return lambda columns: value
        case ast.Name() | ast.Attribute() if name := _dotted(node):
            return _column(name, reads)
        case ast.Call(func=function, args=[ast.Constant(value=str(name))], keywords=[]) if _dotted(function) == "get":
            return _column(name, reads)
        case ast.Call(func=function, args=nodes, keywords=[]) if len(nodes) == getattr(_function(function), "nin", None):
            compute = _of_numbers(_function(function))
        case ast.UnaryOp(op=op, operand=operand) if type(op) in UNARY:
            compute, nodes = UNARY[type(op)], [operand]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in BINARY:
            compute, nodes = BINARY[type(op)], [left, right]
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in BINARY:
            compute, nodes = BINARY[type(op)], [left, right]
        case _:
            raise _NotAllowedError(repr(ast.unparse(node)))
    parts = [_compile(part, reads) for part in nodes]
    return lambda columns: compute(*(part(columns) for part in parts))


def _column(name: str, reads: list[str]) -> Compute:
    reads.append(name)
    return lambda columns: columns[name]


def _function(node: ast.AST) -> Any:
    return FUNCTIONS.get(_dotted(node).removeprefix("np.").removeprefix("numpy."))  # as weaver has them


def _dotted(node: ast.AST) -> str:
    """A name, or names with dots between them; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    inner = _dotted(node.value) if isinstance(node, ast.Attribute) else ""
    return f"{inner}.{node.attr}" if inner and isinstance(node, ast.Attribute) else ""


def _near(name: str, names: Collection[str]) -> str:
    close = difflib.get_close_matches(name, names, n=1)
    return (f"did you mean {close[0]!r}? " if close else "") + f"it has {first_few(sorted(names))}"
