"""Item tables from tables, files and dicts: titles and other columns of items."""

from __future__ import annotations

import os
from typing import Any, Optional

import numpy as np

from . import _bspm
from ._arguments import Column, check
from ._data import collected, is_arrow, is_missing


def items_of(
    items: Any, item_id: Optional[Column], title: Optional[Column], item: Optional[Column] = None
) -> _bspm.Items:
    """Returns an item table from a file, a table, a dict of columns, or a dict of titles.

    ``item`` is the name of the item column of the interactions. If the table has a column with this
    name, it is the default column of ids.
    """
    check(item_id=item_id, title=title, item=item)
    given = {"id": item_id, "title": title, "item": item}
    options = {keyword: None if name is None else str(name) for keyword, name in given.items()}
    if isinstance(items, (str, os.PathLike)):
        return _bspm.read_items_file(os.fspath(items), options)
    items = collected(items)
    if is_arrow(items):
        return _bspm.read_items_arrow(items, options)
    if isinstance(items, dict) and all(isinstance(it, str) or it is None for it in items.values()):
        for keyword, name in (("item_id", item_id), ("title", title)):
            if name is not None:
                raise ValueError(f"{keyword}: expected no column beside a dict of titles, found {name!r}")
        items = {"item": list(items), "title": list(items.values())}
    elif not isinstance(items, dict) and not hasattr(items, "columns"):
        expected = "a table, a file, a dict of columns, or a dict with a title for each item"
        raise TypeError(f"items: expected {expected}, found {type(items).__name__}")
    names = [str(name) for name in getattr(items, "columns", items)]
    for name in getattr(getattr(items, "index", None), "names", ()):
        if name in (item_id, item, "item", "item_id") and name is not None and str(name) not in names:
            raise KeyError(f"no column {name!r} in items; hint: items.reset_index() makes the index a column")
    columns = [_column(items[name], str(name)) for name in getattr(items, "columns", items)]
    return _bspm.read_items_columns(names, columns, options)


def _column(values: Any, name: str) -> list[Any]:
    if isinstance(values, str) or not hasattr(values, "__iter__"):
        raise TypeError(f"items: expected values for each item in {name!r}, found {values!r}")
    listed = values.tolist() if hasattr(values, "tolist") else list(values)
    return [_plain(value) for value in listed]


def _plain(value: Any) -> Any:
    """Returns a value as None, str, bool, int or float. Other values become their text."""
    if isinstance(value, (str, bool)):
        return value
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, int) and not isinstance(value, bool):
        return value if abs(value) < 2**53 else str(value)
    if isinstance(value, (list, tuple, dict, set, np.ndarray)):
        return str(value)
    if is_missing(value):
        return None
    return value if isinstance(value, (bool, float)) else str(value)
