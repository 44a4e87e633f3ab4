"""Tags of items, such as categories, as rows over the columns of the interactions."""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace
from typing import Any, Optional

import numpy as np
import scipy.sparse

from ._arguments import Column, check
from ._data import Interactions, csr_of, ids_of
from ._warnings import warn

Tags = dict[str, Any]


def with_tags(
    interactions: Interactions,
    tags: Any,
    tag: Optional[Column],
    tag_item: Optional[Column],
    weight: Optional[float],
) -> tuple[Interactions, Optional[Tags]]:
    """Returns the interactions with all items of the tags as columns, and the rows of the tags.

    If the tags have the item column of the interactions, it is the default of ``tag_item``.
    """
    if tags is None:
        for name, value in (("tag", tag), ("tag_item", tag_item), ("tag_weight", weight)):
            if value is not None:
                raise ValueError(f"{name}: expected tags= as well, found only {value!r}")
        return interactions, None
    read = _read(tags, tag, tag_item, interactions.item_column)
    read = read._of_kinds((True, isinstance(interactions.items, np.ndarray)))
    names = [str(name) for name in read.users]
    columns = {id_: place for place, id_ in enumerate(_plain(interactions.items))}
    found = _plain(read.items)
    kinds = {isinstance(id_, str) for id_ in found} | {isinstance(id_, str) for id_ in columns}
    if len(kinds) > 1:
        raise TypeError("tags: expected ids of items with the type of the interactions, str or int")
    if not any(id_ in columns for id_ in found):
        warn("tags: no item with tags has interactions")
    for id_ in found:
        columns.setdefault(id_, len(columns))
    places = np.array([columns[id_] for id_ in found], dtype=np.int32)
    indices = places[np.asarray(read.csr["indices"])]
    shape = (len(names), len(columns))
    rows = scipy.sparse.csr_matrix((np.ones(len(indices), np.float32), indices, read.csr["indptr"]), shape)
    rows.sort_indices()
    csr = csr_of(rows)
    csr["data"] = None
    if len(columns) > len(interactions.items):
        wider = {**interactions.csr, "columns": len(columns)}
        interactions = replace(interactions, items=ids_of(list(columns), "tags"), csr=wider)
    return interactions, {"csr": csr, "names": names, "weight": weight}


def _read(
    tags: Any, tag: Optional[Column], tag_item: Optional[Column], item: Optional[Column]
) -> Interactions:
    check(tag=tag, tag_item=tag_item)
    tag_column = "tag" if tag is None else tag
    item_columns = [name for name in (tag_item, item) if name is not None]
    columns = {tag_column, item_columns[0] if item_columns else "item"}
    if isinstance(tags, dict) and not columns & set(tags):
        for name, value in (("tag", tag), ("tag_item", tag_item)):
            if value is not None:
                raise ValueError(f"{name}: expected a table of tags, found a dict without the column {value!r}")
        for id_, names in tags.items():
            if not isinstance(names, (list, tuple, set)):
                raise TypeError(f"tags: expected a list of tags for item {id_!r}, found {names!r}")
        pairs = [(name, id_) for id_, names in tags.items() for name in sorted(names)]
        if not pairs:
            raise ValueError("tags: expected at least one tag, found none")
        return Interactions.from_pairs([name for name, _ in pairs], [id_ for _, id_ in pairs])
    if isinstance(tags, (str, os.PathLike)) or isinstance(tags, dict) or hasattr(tags, "columns") or hasattr(
        tags, "__arrow_c_stream__"
    ):
        try:
            if tag_item is None and item is not None:
                with contextlib.suppress(KeyError):
                    return Interactions.of(tags, user=tag_column, item=item)
            return Interactions.of(tags, user=tag_column, item=tag_item)
        except KeyError as error:
            # Tags are read as users.
            text = str(error.args[0]).replace("; item=", "; tag_item=").replace("; user=", "; tag=")
            raise KeyError(text) from None
    expected = "a table or a file with the columns tag and item, or a dict with a list of tags for each item"
    raise TypeError(f"tags: expected {expected}, found {type(tags).__name__}")


def _plain(ids: Any) -> list[Any]:
    return ids.tolist() if isinstance(ids, np.ndarray) else list(ids)
