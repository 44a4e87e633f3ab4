"""Splits of data, metrics of lists of any system, and comparisons of filters."""

from __future__ import annotations

import os
import time as clock
from typing import Any, Iterable, Optional, SupportsIndex, Union

import numpy as np

from . import _bspm
from ._arguments import Column, check
from ._data import (
    Interactions,
    column_of,
    cutoffs_of,
    ids_of,
    is_arrow,
    numbers_in,
    time_of,
    usual_column,
    whole,
)
from ._model import Model, configuration, flat, progress_of


def split(
    data: Any,
    *,
    ratio: Optional[float] = None,
    seed: Optional[int] = None,
    random: bool = False,
    last_out: bool = False,
    from_time: Any = None,
    **options: Any,
) -> tuple[Interactions, Interactions]:
    """Splits data into a training part and a test part, with the same users and items.

    By default, the share ``ratio`` of each user's interactions (default: 0.2) is held out: the latest
    ones if the data have times, otherwise ones chosen at random with ``seed`` (default: 0). One of these
    arguments selects another split:

    - ``random=True``: interactions chosen at random with ``seed``, even if there are times; at least one
      interaction of each user who has two.
    - ``last_out=True``: the latest interaction of each user.
    - ``from_time``: all interactions from this time on. It is a number in the unit of the times, or a
      date if the times are dates.

    A user with a single interaction keeps it in the training part, except with ``from_time``. ``data``
    and the options for reading are those of ``Model.fit``.

    Raises ValueError for an option that has no effect, and if a part has no interactions.
    """
    check(ratio=ratio, seed=seed, random=random, last_out=last_out)
    interactions = Interactions.of(data, **options)
    chosen = {
        "ratio": ratio,
        "seed": seed,
        "random": random,
        "last_out": last_out,
        "from_time": None if from_time is None else time_of(from_time, "from_time"),
    }
    parts = _bspm.split(interactions.csr, interactions.times, chosen)
    train, test = (interactions._with_entries(part) for part in parts)
    return train, test


def evaluate(
    lists: Any,
    test: Any,
    k: Union[SupportsIndex, Iterable[SupportsIndex]] = 20,
    *,
    train: Any = None,
    user: Optional[Column] = None,
    item: Optional[Column] = None,
    rank: Optional[Column] = None,
    score: Optional[Column] = None,
    detailed: bool = False,
) -> dict[str, Any]:
    """Returns the metrics of lists of any system, in the form of ``Model.evaluate``.

    ``lists`` is a table (pandas, polars, PyArrow, DuckDB, a dict of arrays) with a row for each entry of a
    list. Its columns are ``user`` and ``item`` (or other usual names, as in ``Model.fit``), and ``rank`` (lowest first)
    or ``score`` (highest first). Default: the column "rank", else "score", else the order of the rows.
    ``test`` and ``train`` have any form that ``Model.fit`` takes. If they are tables, ``user`` and ``item``
    name their columns too.

    The metrics are means over the users of the test set. A user without a list counts, with no hit. The
    result also has ``users``, ``users_without_list``, ``unknown_users`` (users with a list but without test
    items, who are left out) and ``unknown_items`` (items that are neither in ``test`` nor in ``train``;
    they keep their ranks and are not hits). ``detailed`` adds 95% confidence intervals. With ``train`` it
    also adds coverage, Gini's index, novelty, popularity and diversity. It also adds arrays with a value for each
    evaluated user: ``rows`` (the row of the user in the test set), and ``recall_by_user`` and ``ndcg_by_user`` at the
    first cut-off.

    Raises ValueError if the test set has no users, if none of them has a list, and if a list has an item
    twice. Raises KeyError for a missing column, and TypeError if the types of the ids differ from those of
    the test set.
    """
    check(user=user, item=item, rank=rank, score=score, detailed=detailed)
    names = (
        usual_column(lists, "user") if user is None else user,
        usual_column(lists, "item") if item is None else item,
    )
    users, items, order = _entries(lists, *names, rank, score)
    found = _bspm.evaluate_lists(
        users,
        items,
        order,
        _data(test, user, item),
        None if train is None else _data(train, user, item),
        cutoffs_of(k),
        detailed=detailed,
    )
    return flat(found, k)


def _data(data: Any, user: Optional[Column], item: Optional[Column]) -> Any:
    is_file = isinstance(data, (str, os.PathLike))
    has_columns = is_file or isinstance(data, dict) or hasattr(data, "columns") or is_arrow(data)
    names = {"user": user, "item": item} if has_columns else {}
    interactions = Interactions.of(data, **names)
    return interactions.csr, interactions.users, interactions.items


def _entries(
    lists: Any, user: Column, item: Column, rank: Optional[Column], score: Optional[Column]
) -> tuple[Any, Any, Any]:
    """Returns users, items, and numbers that order the items (lowest first) or None."""
    if rank is not None and score is not None:
        raise ValueError(f"rank: expected rank= or score=, and not both, found {rank!r} and {score!r}")
    named = (rank, "rank") if rank is not None else (score, "score")
    given = None if named[0] is None else named
    name: Optional[Column] = None
    order = None
    if is_arrow(lists):
        given = None if given is None else (str(given[0]), given[1])
        users, items, found = _bspm.read_lists(lists, (str(user), str(item)), given)
        name, order = found if found is not None else (None, None)
        keyword = given[1] if given is not None else name
    else:
        name, keyword = given if given is not None else _order_of(lists)
        users = ids_of(column_of(lists, user, "user"), str(user))
        items = ids_of(column_of(lists, item, "item"), str(item))
        if name is not None:
            order = numbers_in(column_of(lists, name, str(keyword)), str(name))
    for what, values in ((item, items), (name, order)):
        if values is not None and len(values) != len(users):
            raise ValueError(f"{what}: expected {len(users)} values, as {user}, found {len(values)}")
    if order is not None and np.isnan(order).any():
        row = int(np.argmax(np.isnan(order)))
        raise ValueError(f"{name}, row {row}: expected a number, found NaN")
    return users, items, -order if order is not None and keyword == "score" else order


def _order_of(table: Any) -> tuple[Optional[Column], Optional[str]]:
    """Returns the default column that orders the lists, and the argument that names it."""
    if not (isinstance(table, dict) or hasattr(table, "columns")):
        raise TypeError(
            "lists: expected a table with the columns user, item, and rank or score, "
            f"found {type(table).__name__}"
        )
    there = set(getattr(table, "columns", table))
    name = next((name for name in ("rank", "score") if name in there), None)
    return name, name


def compare(
    filters: Iterable[Any],
    data: Any,
    *,
    test: Any = None,
    k: SupportsIndex = 20,
    metric: str = "ndcg",
    ratio: Optional[float] = None,
    seed: Optional[int] = None,
    random: bool = False,
    last_out: bool = False,
    from_time: Any = None,
    skip_unknown: bool = False,
    detailed: bool = False,
    num_threads: int = 0,
    progress: Any = None,
    **options: Any,
) -> list[dict[str, Any]]:
    """Fits filters to a training part, evaluates them on a test part, and sorts them by a metric.

    Each of ``filters`` is a name, a pair of a name and a dict of settings, or a configuration in the form
    of ``Model.config`` and of the trials of :func:`bspm.tune`. If there is no ``test``, :func:`bspm.split`
    splits ``data`` with the same options. The options for reading are those of ``Model.fit``.

    Returns a dict for each filter, with ``name``, ``config``, the metrics at ``k``, ``users``,
    ``fit_seconds`` and ``evaluate_seconds``, in descending order of ``metric``. For several comparisons on
    the same data, split the data once and pass both parts.
    """
    if isinstance(filters, str):
        raise TypeError(f"filters: expected a list, found {filters!r}; hint: filters={filters.split(',')!r}")
    compared = [_compared_filter(it) for it in filters]
    if not compared:
        raise ValueError("filters: expected at least one filter, found none")
    check(metric=metric, random=random, last_out=last_out, skip_unknown=skip_unknown, detailed=detailed)
    k = whole(k, "k", 1)
    _check_metric(metric)
    ways: dict[str, Any] = {
        "ratio": ratio,
        "seed": seed,
        "random": random or None,
        "last_out": last_out or None,
        "from_time": from_time,
    }
    ways = {name: value for name, value in ways.items() if value is not None}
    if test is None:
        train, held_out = split(data, **ways, **options)
    else:
        for name, value in ways.items():
            raise ValueError(f"{name}: expected no way to split beside test=, found {value!r}")
        train = Interactions.of(data, **options)
        is_read = isinstance(test, Interactions)
        held_out = Interactions.of(test, **({} if is_read else options))
    for _, arguments in compared:
        if "config" not in arguments:
            configuration(arguments["filter"], train.shape, None, arguments.get("settings", {}))
    tell = progress_of(progress)
    board = []
    for name, arguments in compared:
        start = clock.perf_counter()
        model = Model.fit(train, num_threads=num_threads, progress=tell, **arguments)
        fitted = clock.perf_counter()
        found = model.evaluate(
            held_out, k, skip_unknown=skip_unknown, detailed=detailed, progress=tell
        )
        seconds = {
            "fit_seconds": fitted - start,
            "evaluate_seconds": clock.perf_counter() - fitted,
        }
        board.append({"name": name, "config": model.config, **found, **seconds})
    return sorted(board, key=lambda entry: -entry[metric])


def _check_metric(metric: str) -> None:
    """Raises ValueError for an unknown metric, before a filter is fitted."""
    metrics = evaluate({"user": ["u"], "item": ["i"]}, [("u", "i")], 1)
    known = [name for name, value in metrics.items() if isinstance(value, float)]
    if metric not in known:
        raise ValueError(f"metric: expected one of {', '.join(known)}, found {metric!r}")


def _compared_filter(given: Any) -> tuple[str, dict[str, Any]]:
    if isinstance(given, str):
        return given, {"filter": given}
    if isinstance(given, dict) and given:
        return str(next(iter(given))), {"config": given}
    if isinstance(given, tuple) and len(given) == 2 and isinstance(given[1], dict):
        return str(given[0]), {"filter": given[0], "settings": given[1]}
    raise TypeError(
        "filters: expected names, pairs of a name and a dict of settings, or configurations, "
        f"found {given!r}"
    )
