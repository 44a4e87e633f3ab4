"""Results as tables: for pandas, polars and Arrow, and for notebooks."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any, Iterator, Optional, SupportsIndex, Tuple, overload

import numpy as np

if TYPE_CHECKING:
    from ._model import Model

MOST_ROWS = 20
"""Rows of a table in a notebook."""


class Tabular:
    """A result with named columns of the same length."""

    def _arrays(self) -> dict[str, Any]:
        """Returns the columns by their names: lists, or arrays of NumPy."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, list[Any]]:
        """Returns the columns by their names, as lists of Python's types, which ``json`` writes."""
        columns = self._arrays().items()
        return {name: values.tolist() if isinstance(values, np.ndarray) else list(values) for name, values in columns}

    def to_pandas(self) -> Any:
        """Returns a ``pandas.DataFrame``."""
        import pandas

        return pandas.DataFrame(self._arrays())

    def to_polars(self) -> Any:
        """Returns a ``polars.DataFrame``."""
        import polars

        return polars.DataFrame(self._arrays())

    def to_arrow(self) -> Any:
        """Returns a ``pyarrow.Table``."""
        import pyarrow

        return pyarrow.table(self._arrays())

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """Exports the table with the Arrow PyCapsule interface. Needs PyArrow."""
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def _repr_html_(self) -> str:
        columns = self._arrays()
        count = max((len(values) for values in columns.values()), default=0)
        heads = "".join(f"<th>{html.escape(str(name))}</th>" for name in columns)
        rows = [
            "".join(f"<td>{html.escape(_shown(values[row]))}</td>" for values in columns.values())
            for row in range(min(count, MOST_ROWS))
        ]
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        more = "" if count <= MOST_ROWS else f"<p>{count} rows, of which {MOST_ROWS} are shown</p>"
        return f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>{more}"


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, (float, np.floating)):
        return f"{value:.4g}"
    return str(value)


class Table(Tabular):
    """A table of results. A slice of rows is a table, and a name selects a column."""

    def __init__(self, columns: dict[str, Any]) -> None:
        self._columns = columns

    def _arrays(self) -> dict[str, Any]:
        return dict(self._columns)

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return list(self._columns)

    def __len__(self) -> int:
        return max((len(values) for values in self._columns.values()), default=0)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            if key not in self._columns:
                raise KeyError(f"{key}: expected one of the columns {', '.join(self._columns)}")
            return self._columns[key]
        if isinstance(key, slice):
            return Table({name: values[key] for name, values in self._columns.items()})
        return {name: values[key] for name, values in self._columns.items()}

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (self[row] for row in range(len(self)))

    def __repr__(self) -> str:
        return f"<bspm.Table: {len(self)} rows, columns {', '.join(self._columns)}>"


Weighting = Tuple[Optional[str], Optional[float]]
"""A scale of weights and a half-life."""


class Trial(dict[str, Any]):
    """A trial of a search: a dict with ``config``, ``value``, ``metrics`` and others."""

    @property
    def filter(self) -> str:
        """The name of the filter."""
        return _name(self["config"])

    _reading: dict[str, Any] = {}
    """The options for reading of the search."""
    _weighting: Optional[Weighting] = None
    """The scale of weights and the half-life that the search chose, if it did."""

    def _of_search(self, reading: dict[str, Any], weighting: Optional[Weighting]) -> Trial:
        self._reading, self._weighting = reading, weighting
        return self

    def fit(self, data: Any, **options: Any) -> Model:
        """Fits the filter with the settings of the trial to data. The options are those of ``Model.fit``.

        The default options for reading, and the scale of the weights, are those of the search.
        """
        from ._model import Model

        return self._fit_of(Model, data, options)

    def _fit_of(self, kind: type[Model], data: Any, options: dict[str, Any]) -> Model:
        """Fits a model of a class. ``options`` are those of ``Model.fit``."""
        from ._data import READ_OPTIONS, Interactions

        given = {name: options.pop(name) for name in READ_OPTIONS if name in options}
        reading = {} if isinstance(data, Interactions) else {**self._reading, **given}
        interactions = Interactions.of(data, **(reading or given))
        if self._weighting is not None and not interactions._has_weighting:
            interactions = interactions._reweighted(*self._weighting)
        return kind.fit(interactions, config=self["config"], **options)


class Trials(list[Trial], Tabular):
    """The trials of a search, best first: a list of dicts, and a table."""

    is_interrupted: bool = False
    """Whether Ctrl-C ended the search."""
    weightings: Table = Table({})
    """The scales of weights and the half-lives that were compared; empty if an option set them."""

    @overload
    def __getitem__(self, key: SupportsIndex) -> Trial: ...

    @overload
    def __getitem__(self, key: slice) -> Trials: ...

    def __getitem__(self, key: Any) -> Any:
        found: Any = super().__getitem__(key)
        return Trials(found) if isinstance(key, slice) else found

    @property
    def best(self) -> Trial:
        """The best trial. Raises ValueError if there is none."""
        if not self or self[0]["outcome"] != "complete":
            raise ValueError("best: expected a trial that was completed, found none")
        best: Trial = self[0]
        return best

    def __repr__(self) -> str:
        best = f", best: {self[0].filter} {self[0]['value']:.4f}" if self and self[0]["outcome"] == "complete" else ""
        return f"<bspm.Trials: {len(self)} trials{best}>"

    def _arrays(self) -> dict[str, Any]:
        """Returns the columns filter, value, the metrics, users, outcome, and the configuration."""
        metrics = list(self[0]["metrics"]) if self else []
        columns: dict[str, list[Any]] = {
            "filter": [trial.filter for trial in self],
            "value": [trial["value"] for trial in self],
        }
        for name in metrics:
            columns[name] = [trial["metrics"][name] for trial in self]
        for name in ("users", "fit_seconds", "score_seconds"):
            columns[name] = [trial.get(name) for trial in self]
        columns["outcome"] = [str(trial["outcome"]) for trial in self]
        columns["config"] = [str(trial["config"]) for trial in self]
        return columns


def _name(config: Any) -> str:
    return next(iter(config)) if isinstance(config, dict) else str(config)
