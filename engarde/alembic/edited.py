"""What somebody has changed in a file of ours elsewhere than between the lines that are the service's own."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from engarde.alembic import template
from engarde.alembic.carried import bound, is_own_import

FILTERING = ("include_name", "shown", "migrate")
"""The functions that decide what autogenerate sees, and what Alembic is told."""


def edited(before: str, written: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What of it will not be in the new file: that neither fills nor filters the metadata, and that may.

    :param written: the same file as it would be written, for each driver.
    """
    ours = {ast.dump(each) for text in written for each in _rest(text)}
    names = {name for text in written for name in bound(text)}
    left, refused = [], []
    for each in _rest(before):
        if ast.dump(each) in ours or (isinstance(each, ast.Import | ast.ImportFrom) and not is_own_import(each)):
            continue
        own = bound(ast.unparse(each)).keys()
        said = f"line {each.lineno}: {ast.unparse(each).partition(chr(10))[0]}"
        if own and own <= names and not own & {*FILTERING}:
            left.append(said)
        else:
            refused.append(
                f"{said}: put what is changed there between the lines {template.BEGIN!r} and {template.END!r}"
            )
    return tuple(left), tuple(refused)


def _rest(text: str) -> Iterator[ast.stmt]:
    """The statements of a file of ours that are not the service's own."""
    lines = text.splitlines()
    first, last = lines.index(template.BEGIN) + 1, lines.index(template.END) + 1
    for each in ast.parse(text).body:
        documents = isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant)
        if not documents and not first < each.lineno < last:
            yield each
