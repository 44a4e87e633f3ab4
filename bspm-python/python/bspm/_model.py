"""Models with your own ids."""

from __future__ import annotations

import copyreg
import difflib
import inspect
import json
import os
from dataclasses import dataclass
from typing import Any, Callable, Iterable, Iterator, Mapping, Optional, Sequence, SupportsIndex, Union, overload

import numpy as np
import numpy.typing as npt
import scipy.sparse

from . import _bspm
from ._arguments import Column, HalfLife, check
from ._data import (
    READ_OPTIONS,
    Ids,
    Interactions,
    csr_of,
    cutoffs_of,
    ids_of,
    listed,
    names_in,
    numbers_in,
    read_options,
    whole,
)
from ._items import items_of
from ._tables import Table, Tabular, Trial, Trials, Weighting
from ._tune import search
from ._tags import with_tags
from ._warnings import warn

Id = Union[str, int, "np.integer[Any]"]
History = Union[Iterable[Id], Mapping[Any, float]]
"""Items, or a weight for each item."""


def core_from_bytes(content: bytes, kinds: tuple[bool, bool]) -> _bspm.Core:
    """Restores the core of a pickled model."""
    return _bspm.Core.from_bytes(content, kinds)


def _reduce_core(core: _bspm.Core) -> Any:
    return core_from_bytes, (core.to_bytes(), core.kinds)


copyreg.pickle(_bspm.Core, _reduce_core)

Progress = Callable[[str, int, int], object]
"""A callback. Its arguments are the stage, the completed amount and the total."""


@dataclass(frozen=True, eq=False)
class Recommendations(Tabular):
    """A list of items, best first. Two lists are equal if all of their items and scores are equal.

    ``to_pandas``, ``to_polars`` and ``to_arrow`` return it as a table.
    """

    items: list[Any]
    """The ids of the items."""
    scores: npt.NDArray[np.float32]
    """The score of each item. NaN for items of the fallback (``fallback="popularity"``)."""
    titles: Optional[list[Optional[str]]] = None
    """The title of each item, or None if it has no title. None if the model has no item table."""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Recommendations):
            return NotImplemented
        scores = np.array_equal(self.scores, other.scores, equal_nan=True)
        return self.items == other.items and scores

    __hash__ = None  # type: ignore[assignment]

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[tuple[Any, float]]:
        return iter(zip(self.items, self.scores.tolist()))

    def __contains__(self, item: Any) -> bool:
        """Returns whether an item is in the list."""
        return item in self.items

    @overload
    def __getitem__(self, place: SupportsIndex) -> tuple[Any, float]: ...

    @overload
    def __getitem__(self, place: slice) -> Recommendations: ...

    def __getitem__(self, place: Any) -> Any:
        """Returns an item and its score, or for a slice the list of these places."""
        if isinstance(place, slice):
            titles = None if self.titles is None else self.titles[place]
            return Recommendations(self.items[place], self.scores[place], titles)
        return self.items[place], float(self.scores[place])

    def _arrays(self) -> dict[str, Any]:
        """Returns the columns rank, item, title (if the model has an item table) and score."""
        columns: dict[str, Any] = {"rank": list(range(1, len(self) + 1)), "item": self.items}
        if self.titles is not None:
            columns["title"] = self.titles
        return {**columns, "score": self.scores}


@dataclass(frozen=True)
class Explanation(Tabular):
    """A score and its contributions. The score is the sum of ``base`` and the contributions."""

    item: Any
    """The id of the item."""
    score: float
    """The score of the item."""
    base: float
    """The part of the score that does not depend on the history."""
    contributions: list[tuple[Any, float]]
    """The items of the history and their contributions, largest first."""
    title: Optional[str] = None
    """The title of the item, or None."""
    titles: Optional[list[Optional[str]]] = None
    """The titles of the items in ``contributions``. None if the model has no item table."""

    def _arrays(self) -> dict[str, Any]:
        """Returns the columns item, title (if the model has an item table) and contribution."""
        columns: dict[str, Any] = {"item": [item for item, _ in self.contributions]}
        if self.titles is not None:
            columns["title"] = self.titles
        return {**columns, "contribution": [value for _, value in self.contributions]}


def configuration(
    filter: str, shape: tuple[int, int], preset: Optional[str], settings: dict[str, Any]
) -> str:
    """Returns a configuration as JSON. Errors name the argument.

    A setting whose name is a keyword of Python may end in an underscore: ``lambda_``.
    """

    def text(value: Any) -> str:
        if value is None:
            return "off"
        if isinstance(value, (bool, np.bool_)):
            return "true" if value else "false"
        if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        return str(value)

    plain = all_settings({}, settings)
    named = [(name, text(value)) for name, value in plain.items()]
    try:
        return _bspm.configuration(filter, shape, preset, named)
    except ValueError as error:
        message, hint = str(error), _similar_name(str(error), filter, plain)
        # The value as it was given: None instead of "off".
        name = message.partition(":")[0]
        if name in plain:
            message = message.replace(f'found "{text(plain[name])}"', f"found {plain[name]!r}")
        raise ValueError(f"{message}; hint: did you mean {hint}?" if hint else message) from None


def _similar_name(error: str, filter: str, settings: dict[str, Any]) -> str:
    """Returns the known name most similar to the unknown filter or setting of an error, if any is."""
    if error.startswith("filter: "):
        unknown, known = [filter], list(_bspm.filters())
    elif error.startswith("setting: "):
        names = _bspm.filters()[filter]
        unknown = [name for name in settings if name not in names]
        known = [*names, *inspect.signature(Model.fit).parameters]
    else:
        return ""
    # Names that differ only in case, hyphens and underscores come first.
    same = [it for name in unknown for it in known if _letters(it) == _letters(name)]
    found = [match for name in unknown for match in difflib.get_close_matches(name, known, 1, 0.75)]
    return [*same, *found, ""][0]


def _letters(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")


def all_settings(
    settings: Optional[dict[str, Any]], keywords: dict[str, Any]
) -> dict[str, Any]:
    """Returns the settings of a filter from a dict and from keywords. ``lambda_`` becomes ``lambda``."""
    found: dict[str, Any] = {}
    for source in (settings or {}, keywords):
        for name, value in source.items():
            plain = name.rstrip("_")
            if plain in found:
                raise ValueError(f"{plain}: expected one value, found {found[plain]!r} and {value!r}")
            found[plain] = value
    return found


def threads_of(threads: int) -> int:
    """Returns the number of threads. Raises ValueError if it is out of range."""
    if isinstance(threads, bool) or not hasattr(threads, "__index__"):
        raise TypeError(f"num_threads: expected a whole number, found {threads!r}")
    if not 0 <= threads < 2**32:
        raise ValueError(f"num_threads: expected 0 (one for each core) or above, found {threads}")
    return threads


def _count(count: Any) -> int:
    if isinstance(count, (int, np.integer)) and count >= 1:
        return int(count)
    raise ValueError(f"at_most: expected a number of items, at least 1, found {count!r}")


def _factor(factor: Any) -> float:
    if isinstance(factor, (int, float, np.number)) and not isinstance(factor, bool):
        return float(factor)
    raise TypeError(f"boost: expected a factor for each condition, found {factor!r}")


def rules_of(
    boost: Optional[dict[str, float]],
    at_most: Optional[dict[str, int]],
    popularity_penalty: float,
    diversity: float,
    diversity_method: Optional[str],
) -> Optional[dict[str, Any]]:
    """Returns the rules for re-ranking, or None without any."""
    check(
        boost=boost,
        at_most=at_most,
        popularity_penalty=popularity_penalty,
        diversity=diversity,
        diversity_method=diversity_method,
    )
    if diversity_method is not None and not diversity:
        raise ValueError("diversity_method has no effect without diversity=")
    if not (boost or at_most or popularity_penalty or diversity):
        return None
    return {
        "boost": [(str(where), _factor(factor)) for where, factor in (boost or {}).items()],
        "at_most": [(str(column), _count(count)) for column, count in (at_most or {}).items()],
        "popularity_penalty": float(popularity_penalty),
        "diversity": float(diversity),
        "diversity_method": diversity_method or "mmr",
    }


def fit_matrix(
    matrix: Any,
    filter: str,
    preset: Optional[str],
    settings: dict[str, Any],
    threads: int,
    progress: Optional[Progress] = None,
) -> _bspm.Core:
    """Fits a filter to a CSR matrix. The ids are the row and column numbers."""
    return _bspm.Core.fit(
        csr_of(matrix),
        None,
        np.arange(matrix.shape[0], dtype=np.int64),
        np.arange(matrix.shape[1], dtype=np.int64),
        configuration(filter, matrix.shape, preset, settings),
        threads=threads_of(threads),
        progress=progress,
    )


def progress_of(progress: Any) -> Optional[Progress]:
    """Returns a callback for the argument ``progress``: True, a class like tqdm, or a callback."""
    check(progress=progress)
    if progress is None or progress is False:
        return None
    if progress is True:
        try:
            from tqdm.auto import tqdm
        except ImportError:
            return None
        progress = tqdm
    if not isinstance(progress, type):
        return progress  # type: ignore[no-any-return]
    bars: dict[str, Any] = {}

    def tell(stage: str, done: int, total: int) -> None:
        bar = bars.get(stage)
        if bar is None:
            bar = bars[stage] = progress(total=total, desc=stage)
        bar.update(done - bar.n)
        if done >= total:
            bar.close()

    return tell


class Model:
    """A filter that is fitted to a matrix of interactions, with your own ids.

    :meth:`fit`, :meth:`tune` and :meth:`open` create a model. A model is immutable, so any number of
    threads can share it. All work runs without the interpreter's lock.
    """

    def __init__(self, core: Optional[_bspm.Core] = None, threads: int = 0) -> None:
        if not isinstance(core, _bspm.Core):
            named = f", {core!r}" if isinstance(core, str) else ""
            expected = "Model: expected no call of the constructor"
            raise TypeError(f"{expected}; hint: bspm.Model.fit(data{named}), or Model.open")
        self._core = core
        self._threads = threads
        self._items: Optional[npt.NDArray[Any]] = None
        self._leaderboard = Trials()
        self._weightings = _table_of_weightings([])

    # ------------------------------------------------------------------ creating a model

    @classmethod
    def fit(
        cls,
        data: Any,
        filter: Optional[str] = None,
        *,
        user: Optional[Column] = None,
        item: Optional[Column] = None,
        weight: Optional[Column] = None,
        time: Optional[Column] = None,
        rating: Optional[Column] = None,
        rating_threshold: Optional[float] = None,
        weight_scale: Optional[str] = None,
        half_life: Optional[HalfLife] = None,
        duplicates: Optional[str] = None,
        items: Any = None,
        item_id: Optional[Column] = None,
        title: Optional[Column] = None,
        tags: Any = None,
        tag: Optional[Column] = None,
        tag_item: Optional[Column] = None,
        tag_weight: Optional[float] = None,
        preset: Optional[str] = None,
        config: Union[str, dict[str, Any], None] = None,
        settings: Optional[dict[str, Any]] = None,
        num_threads: int = 0,
        seed: int = 0,
        progress: Any = None,
        **keywords: Any,
    ) -> "Model":
        """Fits a filter to interactions.

        ``data`` is a table (pandas, polars, PyArrow, DuckDB, a dict of arrays), a file, a SciPy
        matrix users x items, pairs, or triples with a weight. The same interactions give the same
        model in each form. These arguments say how the data are read:

        - ``user`` and ``item``: the columns of the ids. Default: "user" or "user_id", and "item" or
          "item_id", else the only column with a usual name, such as "userId" and "movieId".
        - ``weight``: the column of weights, 0 or above. By default each pair counts once, even if it
          is repeated. With a column of weights, the weights of a repeated pair are added.
        - ``weight_scale``: the scale of the combined weight: "linear" (unchanged), "log"
          (log2(1 + weight)) or "threshold:NUMBER" (1 if the weight is at least NUMBER, else 0).
        - ``duplicates``: how the weights of a repeated pair are combined: "sum", "max" or "last".
          Without weights, "sum" and "count" both count how often the pair occurs.
        - ``time``: the column of times, numbers or dates. Dates become seconds since 1970 UTC. The
          model keeps the latest time of each pair.
        - ``half_life``: the time after which a weight is halved, in the unit of the times, or a text
          such as "90d" if times are in seconds (s, h, d, w or y). The age of an interaction is
          relative to the latest time.
        - ``rating`` and ``rating_threshold``: only rows with at least this rating are read. In
          triples, the third number is then the rating.

        With ``filter="auto"``, ``weight_scale`` and ``half_life`` are chosen on held-out interactions if
        you give neither, also for :class:`Interactions` that were read without them; ``weightings`` has the
        comparison.

        ``items`` is a table with a row for each item. Lists show its titles; see :meth:`with_items`.

        ``tags`` are tags of items, such as categories: a table or a file with the columns ``tag_item``
        (default: ``item``) and ``tag`` (default: "tag"), or a dict with a list of tags for each item. Tags improve the scores of
        items with few interactions, and give scores to items without interactions. ``tag_weight`` is the
        weight of a tag of an item in the fit; an interaction has weight 1. Default: with
        ``filter="auto"`` the largest of 0.1, 0.3, 1, 3 and 10 with an NDCG@20 near the best one on held-out
        interactions, else 1. Tags of more than half of all items are not used.

        ``filter`` is "auto" or one of ``bspm.filters()``. Default: "auto", or "bspm" if a setting or a
        preset is given. "auto" chooses the filter and its settings by how well they predict a held-out
        fifth of each user's interactions; ``leaderboard`` has the trials. The settings of a filter are
        keywords, such as ``factor_dim=64``, or items of the dict ``settings``. Use ``settings`` for a
        setting with the name of an argument of ``fit`` (``filter``) or of a keyword of Python
        (``lambda``, which may also be written as the keyword ``lambda_``).
        ``preset`` starts from published settings (gowalla, yelp2018, amazon-book). Without a preset,
        BSPM uses settings for the shape of the data. ``config`` is a complete configuration. ``seed``
        is the seed of the held-out part and of the singular vectors. ``progress`` is True, tqdm, or a
        callback that receives the stage, the completed amount and the total. Ctrl-C cancels the fit.

        Raises ValueError for an argument out of range and for an option that has no effect, KeyError
        for a missing column, TypeError for ids that are neither str nor int, and MemoryError if the
        filter needs more memory than its budget.
        """
        reading = read_options(
            user=user,
            item=item,
            weight=weight,
            time=time,
            rating=rating,
            rating_threshold=rating_threshold,
            weight_scale=weight_scale,
            half_life=half_life,
            duplicates=duplicates,
        )
        interactions = Interactions.of(data, **reading)
        check(filter=filter, preset=preset, settings=settings, config=config, tag_weight=tag_weight)
        if isinstance(config, Trial):
            config = config["config"]
        seed = whole(seed, "seed")
        table = None
        if items is not None:
            table = items_of(items, item_id, title, interactions.item_column)
        elif item_id is not None or title is not None:
            name, value = ("title", title) if item_id is None else ("item_id", item_id)
            raise ValueError(f"{name}: expected items= beside it, found {value!r} alone")
        interactions, tag_rows = with_tags(interactions, tags, tag, tag_item, tag_weight)
        chosen = all_settings(settings, keywords)
        trials: list[str] = []
        weightings = _table_of_weightings([])
        weighting: Optional[Weighting] = None
        has_settings = bool(chosen or preset)
        if config is not None:
            if has_settings or filter is not None:
                raise ValueError("config: expected no settings, no preset and no filter beside it")
        elif filter == "auto" and has_settings:
            raise ValueError(
                "settings and presets have no effect with filter='auto', which chooses them; name the filter"
            )
        elif filter == "auto" or (filter is None and not has_settings):
            if not interactions._has_weighting:
                interactions, weightings, weighting = _with_chosen_weighting(
                    interactions, tag_rows, threads_of(num_threads), seed, progress
                )
            config, trials, chosen_weight = _bspm.choose(
                interactions.csr,
                interactions.times,
                tags=tag_rows,
                threads=threads_of(num_threads),
                seed=seed,
                progress=progress_of(progress),
            )
            if not trials:
                warn(
                    "filters were not compared, because no user has two interactions to learn from, so none could be "
                    "held out"
                )
            if tag_rows is not None and chosen_weight is not None:
                tag_rows["weight"] = chosen_weight
        else:
            config = configuration(filter or "bspm", interactions.shape, preset, chosen)
        if isinstance(config, dict):
            config = json.dumps(config)
        core = _bspm.Core.fit(
            interactions.csr,
            interactions.times,
            interactions.users,
            interactions.items,
            config,
            weight_scale=interactions.weight_scale,
            decay=interactions._decay,
            tags=tag_rows,
            threads=threads_of(num_threads),
            seed=seed,
            progress=progress_of(progress),
        )
        model = cls(core, num_threads)
        if table is not None:
            model = model._with_table(table)
        if trials:
            of_search = _trial_of(reading, weighting)
            model._keep_trials(Trials(of_search(trial) for trial in trials))
        model._weightings = weightings
        return model

    @classmethod
    def tune(cls, data: Any, *, num_threads: int = 0, progress: Any = None, **options: Any) -> "Model":
        """Searches for the best filter and settings, and fits them to all of the data.

        Takes the options of :func:`bspm.tune`, and the options of :meth:`fit` for reading, for the item
        table and for tags. The trials are in ``leaderboard``. Weights are chosen as in :meth:`fit`.
        """
        table = {name: options.pop(name, None) for name in ("items", "item_id", "title")}
        tags = {name: options.pop(name, None) for name in ("tags", "tag", "tag_item", "tag_weight")}
        columns = {name: options.pop(name, None) for name in READ_OPTIONS}
        for name in options:
            if name not in (tune.__kwdefaults__ or {}):
                raise TypeError(f"{name}: expected an argument of bspm.tune or Model.fit, found {name!r}")
        seed = whole(options.get("seed", 0), "seed")
        interactions = Interactions.of(data, **columns)
        if table["items"] is not None:
            # Report errors in the table before the search.
            items_of(**table, item=interactions.item_column)
        trials = tune(interactions, num_threads=num_threads, progress=progress, **tags, **options)
        fitting = {"num_threads": num_threads, "seed": seed, "progress": progress, **table, **tags}
        model = trials[0]._fit_of(cls, interactions, fitting)
        model._keep_trials(trials)
        model._weightings = trials.weightings
        return model

    @classmethod
    def open(cls, path: Union[str, os.PathLike[str]], *, num_threads: int = 0) -> "Model":
        """Opens a model file of this package, the Rust crate or the tool. The file is mapped into memory."""
        try:
            core = _bspm.Core.open(os.fspath(path), threads=threads_of(num_threads))
        except ValueError as error:
            is_data = not os.fspath(path).endswith(".bspm") and "safetensors" in str(error)
            if not is_data:
                raise
            raise ValueError(f"{error}; hint: bspm.Model.fit reads data") from None
        model = cls(core, num_threads)
        half_life, _ = core.decay or (None, None)
        of_search = _trial_of({}, (core.weight_scale, half_life))
        model._leaderboard = Trials(of_search(trial) for trial in core.trials)
        return model

    def _keep_trials(self, trials: Trials) -> None:
        """Sets the leaderboard, and stores it in the model file."""
        self._leaderboard = trials
        self._core = self._core.with_trials([json.dumps(trial) for trial in trials])

    def save(self, path: Union[str, os.PathLike[str]]) -> None:
        """Saves the model to one file. An existing file is replaced in one step."""
        self._core.save(os.fspath(path))

    def __reduce__(self) -> Any:
        core = self._core
        parts = (self._threads, self.leaderboard, self.weightings)
        return _from_bytes, (type(self), core.to_bytes(), core.kinds, *parts)

    def __copy__(self) -> "Model":
        return self._with_core(self._core)

    def __deepcopy__(self, memo: dict[int, Any]) -> "Model":
        return self._with_core(self._core)

    def _with_core(self, core: _bspm.Core) -> "Model":
        """Returns a model of the same class with another core, the weightings, and the trials if it has any."""
        model = type(self)(core, self._threads)
        if core.trials:
            model._leaderboard = self.leaderboard[:]
        model._weightings = self.weightings
        return model

    # ------------------------------------------------------------------ properties

    @property
    def shape(self) -> tuple[int, int]:
        """The number of users and the number of items."""
        return self._core.shape

    @property
    def users(self) -> Ids:
        """The ids of all users, in the order of the rows."""
        return self._core.users()

    @property
    def items(self) -> npt.NDArray[Any]:
        """The ids of all items, in the order of the columns. The array is read-only."""
        if self._items is None:
            items = self._core.items()
            items = items if isinstance(items, np.ndarray) else np.array(items, dtype=object)
            items.setflags(write=False)
            self._items = items
        return self._items

    @property
    def interactions(self) -> Interactions:
        """The interactions of the model, with weights and times if it has any."""
        indptr, indices, weights = self._core.matrix()
        csr = {
            "indptr": indptr,
            "indices": indices,
            "data": None if (weights == 1).all() else weights,
            "columns": self.shape[1],
        }
        items = self._core.items()
        scale = self._core.weight_scale or "linear"
        half_life, reference_time = self._core.decay or (None, None)
        return Interactions(self.users, items, csr, self._core.times(), scale, half_life, reference_time)

    @property
    def item_table(self) -> Optional[dict[str, Any]]:
        """The item table as a dict of columns, or None if the model has no item table.

        The first column has the ids. Its name is "item", or "item_id" if the table has another column
        "item". A missing value is None. The first rows belong to the items of the model, in their
        order. Rows of items without interactions follow. ``pandas.DataFrame(model.item_table)``
        converts the dict to a frame.
        """
        found = self._core.item_table()
        if found is None:
            return None
        ids, _, columns = found
        by_name = dict(columns)
        return {"item_id" if "item" in by_name else "item": ids, **by_name}

    def titles(self, items: Iterable[Id]) -> list[Optional[str]]:
        """Returns the title of each item, or None if it has none. Raises KeyError for an unknown item."""
        columns = self._columns(items)
        found = self._core.titles(columns)
        return [None] * len(columns) if found is None else found

    @property
    def leaderboard(self) -> Trials:
        """The trials that the filter was chosen from, best first. Empty if you named the filter."""
        return self._leaderboard

    @property
    def weightings(self) -> Table:
        """The weightings of the interactions that were compared, the chosen one first. Empty if none was chosen.

        A model file does not keep them.
        """
        return self._weightings

    @property
    def config(self) -> dict[str, Any]:
        """The filter and its settings, as a dict."""
        found: dict[str, Any] = json.loads(self._core.config)
        return found

    @property
    def singular_values(self) -> npt.NDArray[np.float32]:
        """The singular values of the normalised matrix, descending. Empty if the filter uses none."""
        return self._core.singular_values

    def __repr__(self) -> str:
        users, items = self.shape
        return f"<bspm.Model {next(iter(self.config))}: {users} users x {items} items>"

    # ------------------------------------------------------------------ lists

    def recommend(
        self,
        user: Optional[Id] = None,
        k: SupportsIndex = 10,
        *,
        history: Optional[History] = None,
        keep_seen: bool = False,
        deny: Optional[Iterable[Id]] = None,
        allow: Optional[Iterable[Id]] = None,
        minimum_score: Optional[float] = None,
        where: Optional[str] = None,
        boost: Optional[dict[str, float]] = None,
        at_most: Optional[dict[str, int]] = None,
        popularity_penalty: float = 0.0,
        diversity: float = 0.0,
        diversity_method: Optional[str] = None,
        fallback: Optional[str] = None,
        skip_unknown: bool = False,
    ) -> Recommendations:
        """Returns the ``k`` best items for a user of the model, or for a history of items.

        ``history`` is a list of items, or a dict with a weight for each item, which may be negative.
        The list does not contain items of the history, unless ``keep_seen`` is true. It never contains
        items of ``deny``. If ``allow`` is given, it contains only items of ``allow``. ``where`` is a
        condition on the columns of the item table, in SQL syntax:
        ``"category = 'books' and price < 20 and in_stock"``.

        These arguments re-rank the list. ``boost`` maps conditions to factors of the scores:
        ``{"on_sale": 1.5}``. ``at_most`` maps columns of the item table to the largest number of items
        with the same value: ``{"brand": 2}``. ``popularity_penalty`` multiplies each score by
        ``(1 + users of the item) ** -popularity_penalty``. ``diversity`` is from 0 (by score) to 1 (as
        different as possible), and only limits apply to items of the fallback. ``diversity_method`` is "mmr" (maximal marginal relevance, the default)
        or "dpp" (determinantal point process).

        Items that no path connects with the history have no score, so a list may be short.
        ``fallback="none"`` is the default. ``fallback="popularity"`` fills it with the most popular items, with the score NaN.
        ``fallback="unscored"`` fills it with items of score 0, in the order of their columns.

        ``skip_unknown`` ignores unknown items in ``history``, ``deny`` and ``allow``, and gives an unknown user an
        empty history.

        Raises KeyError for an unknown id, unless ``skip_unknown`` is true. Raises ValueError for an unknown column of ``where``; the
        message lists the columns.
        """
        if (user is None) == (history is None):
            raise ValueError("user: expected a user or a history, and not both")
        if isinstance(user, (list, tuple, set, np.ndarray)):
            raise TypeError(
                "user: expected one id, found several; recommend_many and recommend_frame take a list of users, "
                "and history= takes a list of items"
            )
        rules = self._rules(boost, at_most, popularity_penalty, diversity, diversity_method)
        options = self._options(keep_seen, deny, allow, minimum_score, where, rules, fallback, skip_unknown)
        k = whole(k, "k", 1)
        rows = None if user is None else self._rows([user], "user", skip_unknown)
        if rows is None or rows[0] < 0:
            csr = self._history([] if history is None else history, skip_unknown)
            items, scores = self._core.rank_histories(csr, k, **options)
        else:
            items, scores = self._core.rank(rows, k, **options)
        return self._list(items[0], scores[0])

    def recommend_many(
        self,
        users: Optional[Iterable[Id]] = None,
        k: SupportsIndex = 10,
        *,
        keep_seen: bool = False,
        deny: Optional[Iterable[Id]] = None,
        allow: Optional[Iterable[Id]] = None,
        minimum_score: Optional[float] = None,
        where: Optional[str] = None,
        boost: Optional[dict[str, float]] = None,
        at_most: Optional[dict[str, int]] = None,
        popularity_penalty: float = 0.0,
        diversity: float = 0.0,
        diversity_method: Optional[str] = None,
        fallback: Optional[str] = None,
        skip_unknown: bool = False,
        progress: Any = None,
    ) -> tuple[npt.NDArray[Any], npt.NDArray[np.float32]]:
        """Returns the lists of some users, or of all users: items and scores, each users x k.

        The options are those of :meth:`recommend`. A list that is shorter than ``k`` is padded with
        None and the lowest float32. Items that are numbers are padded with -1, or with the lowest int64
        if -1 is an item.
        """
        rules = self._rules(boost, at_most, popularity_penalty, diversity, diversity_method)
        options = self._options(keep_seen, deny, allow, minimum_score, where, rules, fallback, skip_unknown)
        count = self.shape[0]
        rows = np.arange(count, dtype=np.int64) if users is None else self._rows(users, "users", skip_unknown)
        k = whole(k, "k", 1)
        is_known = rows >= 0
        columns, scores = self._core.rank(rows[is_known], k, progress=progress_of(progress), **options)
        if not is_known.all():
            # All unknown users have the list of an empty history.
            columns_of_none, scores_of_none = self._core.rank_histories(self._history([]), k, **options)
            places = np.where(is_known, np.cumsum(is_known) - 1, -1)
            columns, scores = np.vstack([columns, columns_of_none])[places], np.vstack([scores, scores_of_none])[places]
        return self._ids(columns), scores

    def recommend_frame(self, users: Optional[Iterable[Id]] = None, k: SupportsIndex = 10, **options: Any) -> Table:
        """Returns the lists of some users, or of all users, as one table.

        The columns are user, rank, item, title (if the model has an item table) and score. The options
        are those of :meth:`recommend_many`.
        """
        ids = self.users if users is None else ids_of(listed(users, "users"), "users")
        items, scores = self.recommend_many(ids, k, **options)
        is_there = scores > np.finfo(np.float32).min
        is_there |= np.isnan(scores)
        counts = is_there.sum(axis=1)
        names: Any = ids if isinstance(ids, np.ndarray) else np.array(ids, dtype=object)
        columns: dict[str, Any] = {
            "user": np.repeat(names, counts),
            "rank": np.concatenate([np.arange(1, count + 1) for count in counts] or [np.arange(0)]),
            "item": items[is_there],
        }
        if self._core.titles(np.empty(0, np.int64)) is not None:
            columns["title"] = self.titles(columns["item"].tolist())
        return Table({**columns, "score": scores[is_there]})

    def recommend_arrow(
        self,
        table: Any,
        k: SupportsIndex = 10,
        *,
        keep_seen: bool = False,
        skip_unknown: bool = False,
        minimum_score: Optional[float] = None,
        where: Optional[str] = None,
        boost: Optional[dict[str, float]] = None,
        at_most: Optional[dict[str, int]] = None,
        popularity_penalty: float = 0.0,
        diversity: float = 0.0,
        diversity_method: Optional[str] = None,
        fallback: Optional[str] = None,
        long: bool = False,
    ) -> _bspm.Batches:
        """Returns the lists for the rows of an Arrow table, as an Arrow table.

        Both tables use the PyCapsule interface. The columns of ``table`` are:

        - ``user``: the id of a user of the model.
        - ``history``: a list of items, for rows without a user, and ``weights``: a list of their weights.
        - ``deny`` and ``allow``: lists of items. The list of the row never contains an item of ``deny``.
          If ``allow`` is given, it contains only items of ``allow``.
        - ``where``: conditions on the item table, which the items of the row's list satisfy.

        The result has the other columns of ``table``, and the list columns ``items`` and ``scores``, and
        ``titles`` if the model has an item table. If ``long`` is true, each entry of a list has a row, with
        ``rank``, ``item``, ``score`` and ``title``. The score of an item of the fallback is null. A list
        does not depend on the other rows, to the last bit.

        ``polars.DataFrame(...)``, ``pyarrow.table(...)`` and ``pyarrow.record_batch(...)`` accept the
        result. Raises ValueError; the message names the column and the row.
        """
        check(
            keep_seen=keep_seen,
            skip_unknown=skip_unknown,
            minimum_score=minimum_score,
            where=where,
            fallback=fallback,
            long=long,
        )
        rules = self._rules(boost, at_most, popularity_penalty, diversity, diversity_method)
        return self._core.recommend_arrow(
            table,
            whole(k, "k", 1),
            keep_seen=keep_seen,
            skip_unknown=skip_unknown,
            minimum_score=minimum_score,
            condition=where,
            rules=rules,
            fallback=fallback,
            long=long,
        )

    def similar_items(self, item: Id, k: SupportsIndex = 10) -> Recommendations:
        """Returns the items that are recommended for a history with only this item."""
        csr = self._csr(self._columns([item], "item"), None)
        items, scores = self._core.rank_histories(csr, whole(k, "k", 1))
        return self._list(items[0], scores[0])

    def similar_users(self, user: Id, k: SupportsIndex = 10) -> list[tuple[Any, float]]:
        """Returns the users with the most similar histories, and their similarity.

        The result does not depend on the filter.
        """
        rows, scores = self._core.similar_users(int(self._rows([user], "user")[0]), whole(k, "k", 1))
        users = self.users.tolist() if isinstance(self.users, np.ndarray) else self.users
        return [(users[row], score) for row, score in zip(rows.tolist(), scores.tolist())]

    def low_pass_vectors(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Returns vectors of the items and of the users. Their dimension is the number of singular vectors.

        The inner product of two vectors is the score of the ideal low-pass filter, which is a part of
        the score of BSPM, GF-CF and ChebyCF. Raises ValueError for other filters.
        """
        return self._core.low_pass_vectors()

    def score(
        self,
        user: Optional[Id] = None,
        items: Optional[Iterable[Id]] = None,
        *,
        history: Optional[History] = None,
    ) -> npt.NDArray[np.float32]:
        """Returns the scores of some items for a user, or for a history as in :meth:`recommend`.

        Default: all items, in the order of ``items``.
        """
        csr = self._history_of(user, history)
        scores: npt.NDArray[np.float32] = self._core.score_histories(csr)[0]
        return scores if items is None else scores[self._columns(items)]

    def explain(
        self,
        user: Optional[Id] = None,
        item: Optional[Id] = None,
        *,
        history: Optional[History] = None,
    ) -> Explanation:
        """Returns the contributions of the items of a history to the score of an item.

        The history is that of ``user``, or ``history``.
        """
        if item is None:
            raise ValueError("item: expected the item to explain")
        csr = self._history_of(user, history)
        column = int(self._columns([item], "item")[0])
        parts, base = self._core.contributions(csr, column)
        score = float(self._core.score_histories(csr)[0][column])
        ids = self.items[csr["indices"]].tolist()
        order = np.argsort(-parts, kind="stable")
        contributions = [(ids[place], float(parts[place])) for place in order]
        titles = self._core.titles(csr["indices"][order].astype(np.int64))
        title = self.titles([item])[0]
        return Explanation(item, score, float(base), contributions, title, titles)

    def evaluate(
        self,
        test: Any,
        k: Union[SupportsIndex, Iterable[SupportsIndex]] = 20,
        *,
        user: Optional[Column] = None,
        item: Optional[Column] = None,
        weight: Optional[Column] = None,
        time: Optional[Column] = None,
        rating: Optional[Column] = None,
        rating_threshold: Optional[float] = None,
        weight_scale: Optional[str] = None,
        half_life: Optional[HalfLife] = None,
        duplicates: Optional[str] = None,
        skip_unknown: bool = False,
        detailed: bool = False,
        progress: Any = None,
    ) -> dict[str, Any]:
        """Returns recall, NDCG and other metrics for the users of a test set.

        ``test`` can have any form that :meth:`fit` takes, with the same options for reading. Each pair
        of the test set counts once, regardless of its weight. If ``k`` is one cut-off, the result is a
        dict of metrics. If it is a list of cut-offs, the result has a dict of metrics for each.
        ``detailed`` adds 95% confidence intervals, coverage, Gini's index, novelty, popularity and
        diversity. It also adds arrays with a value for each evaluated user: ``rows`` (the row of the user in
        ``users``), and ``recall_by_user`` and ``ndcg_by_user`` at the first cut-off.

        Items that the model does not know count as missed, and so do pairs of the training data. A warning has
        their numbers, and the number of skipped users. Raises KeyError for an unknown user, unless
        ``skip_unknown`` is true, and ValueError if there is no user to evaluate.
        """
        interactions = Interactions.of(
            test,
            user=user,
            item=item,
            weight=weight,
            time=time,
            rating=rating,
            rating_threshold=rating_threshold,
            weight_scale=weight_scale,
            half_life=half_life,
            duplicates=duplicates,
        )
        interactions = interactions._of_kinds(self._core.kinds)
        check(skip_unknown=skip_unknown, detailed=detailed)
        found: dict[str, Any] = self._core.evaluate(
            interactions.csr,
            interactions.users,
            interactions.items,
            cutoffs_of(k),
            skip_unknown=skip_unknown,
            detailed=detailed,
            progress=progress_of(progress),
        )
        return flat(found, k)

    # ------------------------------------------------------------------ updates

    def with_interactions(
        self,
        data: Any,
        *,
        user: Optional[Column] = None,
        item: Optional[Column] = None,
        weight: Optional[Column] = None,
        time: Optional[Column] = None,
        rating: Optional[Column] = None,
        rating_threshold: Optional[float] = None,
        weight_scale: Optional[str] = None,
        duplicates: Optional[str] = None,
    ) -> "Model":
        """Returns the model with more interactions. The singular vectors do not change.

        ``data`` and the options for reading are those of :meth:`fit`. Known users get longer histories,
        and new users are added. If all items are known, the filter does not change. If some items are
        new, the degrees and the item graph are computed from all interactions. A new item gets a row of
        the singular vectors, computed from the items of its users. Only :meth:`refit` computes the
        singular vectors again. If the model already has a pair, it keeps the larger weight and the later
        time. Without times, new pairs get the latest time of the model. Weights are scaled as those of the
        model, and decay with its half-life, also if :meth:`fit` chose them. The weights of all interactions are
        then relative to the new latest time.

        Raises ValueError if ``data`` has times and the model does not, and for another scale or half-life of
        :class:`Interactions` than those of the model, and TypeError for ids of another type.
        """
        added = Interactions.of(
            data,
            user=user,
            item=item,
            weight=weight,
            time=time,
            rating=rating,
            rating_threshold=rating_threshold,
            weight_scale=weight_scale,
            duplicates=duplicates,
        )
        added = added._of_kinds(self._core.kinds)
        if added.times is not None and self._core.times() is None:
            raise ValueError(
                "time: expected a model that was fitted with time=, found a model without times and data with them"
            )
        if added.weight_scale is None and added.csr["data"] is not None:
            added = added._reweighted(self._core.weight_scale, None)
        core = self._core.with_interactions(
            added.csr, added.times, added.users, added.items, added.weight_scale, added._decay
        )
        return self._with_core(core)

    def with_items(
        self, items: Any, *, item_id: Optional[Column] = None, title: Optional[Column] = None
    ) -> "Model":
        """Returns the model with an item table. Lists and explanations show its titles.

        ``items`` is a table (pandas, polars, PyArrow, DuckDB) or a dict of columns with a row for each
        item, a file (CSV, TSV, JSON lines, RecBole's ``.item``), or a dict with a title for each item.

        - ``item_id``: the column of ids. Default: the column of ``item=``, "item" or "item_id" if the
          table has one of them, else the first column.
        - ``title``: the column of titles. Default: "title", else "name", else the only other column whose name
          ends with "title" or, without one, with "name", in upper or lower case.

        All columns are kept as texts, numbers or booleans, and are part of a saved model. An item
        without a row has no title. Rows of items without interactions are kept, because the items may
        get interactions later. The table replaces an existing item table.

        Raises ValueError if two rows have the same item, with the row, or if a column is missing, with
        the existing columns. Raises TypeError for ids of another type. Warns if items of the model have
        no row.
        """
        return self._with_table(items_of(items, item_id, title))

    def _with_table(self, table: _bspm.Items) -> "Model":
        core, (with_row, without_row, others) = self._core.with_items(table)
        if without_row:
            warn(
                f"items: {without_row} of {with_row + without_row} items with interactions have no row, and "
                f"{others} rows are of items without interactions"
            )
        return self._with_core(core)

    def refit(self, *, progress: Any = None) -> "Model":
        """Fits the filter again, to all interactions of this model, and returns the new model."""
        return self.forget(progress=progress)

    def forget(
        self, users: Iterable[Id] = (), items: Iterable[Id] = (), *, progress: Any = None
    ) -> "Model":
        """Fits the filter again without these users and items, and returns the new model.

        Neither the interactions nor the filter keep a trace of them. Raises KeyError for an unknown
        user or item.
        """
        core = self._core.forget(
            ids_of(listed(users, "users"), "users"),
            ids_of(listed(items, "items"), "items"),
            progress=progress_of(progress),
        )
        return self._with_core(core)

    # ------------------------------------------------------------------ tables

    def neighbours(self, keep: SupportsIndex = 500, *, progress: Any = None) -> "Model":
        """Returns a model that computes lists from a neighbour table, in tens of microseconds.

        For each item, the table keeps its ``keep`` most important contributions to other items. The rest
        is approximated by a multiple of a vector that all items share. The lists are almost the same as
        those of this model.
        """
        keep = whole(keep, "keep", 1)
        return self._with_core(self._core.neighbours(keep, progress=progress_of(progress)))

    def neighbour_tables(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Returns the neighbour table as two tables that any engine can join.

        The first table has the columns ``item``, ``neighbour`` and ``value``. The second has ``item``,
        ``share`` and ``common``. The score of an item is the sum of its values over the history, plus the
        sum of the history's shares times its ``common``. Raises ValueError if the model does not come from
        :meth:`neighbours`.
        """
        rows = self._core.neighbour_rows()
        if rows is None:
            raise ValueError("expected a model that serves from a neighbour table")
        items, neighbours, values, shares, common = rows
        entries = {
            "item": self.items[items],
            "neighbour": self.items[neighbours],
            "value": values,
        }
        return entries, {"item": self.items, "share": shares, "common": common}

    def sparse_vectors(self) -> scipy.sparse.csr_matrix:
        """Returns the sparse vectors of the items of a neighbour table, ``items x (items + 1)``.

        The inner product of a row with a query of :meth:`sparse_query` is the score of the item, up to the
        rounding of single precision. A vector database (Qdrant, Vespa) with the rows as sparse vectors
        therefore computes the scores of the table, with its own filters. Row ``i`` belongs to ``items[i]``,
        and its ``indices`` and ``data`` are the indices and values of the vector: column ``j`` has the
        contribution of ``items[j]`` in a history, and the last column has the common score of the item.
        Values may be negative. The vectors leave out zeros.

        Cost: a copy of the table, 12 bytes for each entry. Raises ValueError if the model does not come
        from :meth:`neighbours`.
        """
        return self._sparse(self._core.sparse_vectors())

    def sparse_query(
        self,
        user: Optional[Id] = None,
        *,
        history: Optional[History] = None,
    ) -> scipy.sparse.csr_matrix:
        """Returns the sparse query vector of a user, or of a history as in :meth:`recommend`: one row.

        Column ``j`` has the weight of ``items[j]`` in the history, and the last column the sum of weight times
        share (:meth:`neighbour_tables`). The inner products with :meth:`sparse_vectors` are the scores of
        all items. The items of the history are not hidden, and items that no path connects with the history
        have scores: exclude the history with a filter of the database.

        Raises KeyError for an unknown id, and ValueError if the model does not come from :meth:`neighbours`.
        """
        return self._sparse(self._core.sparse_queries(self._history_of(user, history)))

    def _sparse(
        self, rows: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float32]]
    ) -> scipy.sparse.csr_matrix:
        ends, columns, values = rows
        shape = (len(ends) - 1, self.shape[1] + 1)
        return scipy.sparse.csr_matrix((values, columns, ends), shape)

    # ------------------------------------------------------------------ ids

    def _rows(self, users: Iterable[Any], what: str = "users", skip_unknown: bool = False) -> npt.NDArray[np.int64]:
        ids = self._of_kind(listed(users, what), what, self._core.kinds[0])
        return _known(self._core.rows(ids), ids, "user", skip_unknown)

    def _columns(self, items: Iterable[Any], what: str = "items", skip_unknown: bool = False) -> npt.NDArray[np.int64]:
        ids = self._of_kind(listed(items, what), what, self._core.kinds[1])
        return _known(self._core.columns(ids), ids, "item", skip_unknown)

    def _of_kind(self, ids: list[Any], what: str, are_numbers: bool) -> Ids:
        """Returns ids of the argument ``what``. Raises TypeError if the ids of the model have another type."""
        found = ids_of(ids, what)
        if len(found) and isinstance(found, np.ndarray) != are_numbers:
            expected, kind = ("whole numbers", "int") if are_numbers else ("text", "str")
            text = f"{what}: expected ids that are {expected}, as the model's, found {ids[0]!r}"
            raise TypeError(f"{text}; hint: convert them to {kind}")
        return found

    def _rules(
        self, boost: Optional[dict[str, float]], at_most: Optional[dict[str, int]], *others: Any
    ) -> Optional[dict[str, Any]]:
        rules = rules_of(boost, at_most, *others)
        for name, rule in (("boost", boost), ("at_most", at_most)):
            if rule and self._core.titles(np.empty(0, np.int64)) is None:
                raise ValueError(
                    f"{name}: expected a model with an item table, found none; "
                    "hint: pass items= to Model.fit, or use Model.with_items"
                )
        return rules

    def _options(
        self,
        keep_seen: bool,
        deny: Optional[Iterable[Id]],
        allow: Optional[Iterable[Id]],
        minimum_score: Optional[float],
        where: Optional[str],
        rules: Optional[dict[str, Any]],
        fallback: Optional[str],
        skip_unknown: bool,
    ) -> dict[str, Any]:
        check(
            keep_seen=keep_seen,
            minimum_score=minimum_score,
            where=where,
            fallback=fallback,
            skip_unknown=skip_unknown,
        )

        def columns(items: Optional[Iterable[Id]], what: str) -> Optional[npt.NDArray[np.int64]]:
            found = None if items is None else self._columns(items, what, skip_unknown)
            return None if found is None else found[found >= 0]

        return {
            "keep_seen": keep_seen,
            "deny": columns(deny, "deny"),
            "allow": columns(allow, "allow"),
            "minimum_score": minimum_score,
            "condition": where,
            "rules": rules,
            "fallback": fallback,
        }

    def _history_of(
        self, user: Optional[Id], history: Optional[History]
    ) -> dict[str, Any]:
        if (user is None) == (history is None):
            raise ValueError("user: expected a user or a history, and not both")
        if history is not None:
            return self._history(history)
        return self._csr(*self._core.history(int(self._rows([user], "user")[0])))

    def _history(
        self, history: History, skip_unknown: bool = False
    ) -> dict[str, Any]:
        columns = self._columns(history, "history", skip_unknown)
        is_known = columns >= 0
        columns = columns[is_known]
        if not isinstance(history, Mapping):
            return self._csr(np.unique(columns), None)
        values = numbers_in(list(history.values()), "history")[is_known]
        weights = values.astype(np.float32)
        if not np.isfinite(weights).all():
            raise ValueError(f"history: expected finite weights, found {values.tolist()}")
        order = np.argsort(columns, kind="stable")
        return self._csr(columns[order], weights[order])

    def _csr(
        self, columns: npt.NDArray[np.int64], weights: Optional[npt.NDArray[np.float32]]
    ) -> dict[str, Any]:
        return {
            "indptr": np.array([0, len(columns)], dtype=np.int64),
            "indices": np.ascontiguousarray(columns),
            "data": weights,
            "columns": self.shape[1],
        }

    def _list(
        self, columns: npt.NDArray[np.int32], scores: npt.NDArray[np.float32]
    ) -> Recommendations:
        found = columns[: int((columns >= 0).sum())].astype(np.int64)
        titles = self._core.titles(found)
        return Recommendations(self.items[found].tolist(), scores[: len(found)], titles)

    def _ids(self, columns: npt.NDArray[np.int32]) -> npt.NDArray[Any]:
        is_none = columns < 0
        if len(self.items) == 0:
            return columns.astype(np.int64)
        ids: npt.NDArray[Any] = self.items[np.where(is_none, 0, columns)]
        if is_none.any():
            missing: Optional[int] = None
            if ids.dtype.kind == "i":
                missing = np.iinfo(np.int64).min if (self.items == -1).any() else -1
            ids[is_none] = missing
        return ids


def _known(
    places: npt.NDArray[np.int64], ids: Ids, what: str, skip_unknown: bool
) -> npt.NDArray[np.int64]:
    """Returns the places of ids, which are -1 for unknown ids. Raises KeyError unless those are skipped."""
    if not skip_unknown and len(places) and places.min() < 0:
        unknown: Any = ids[int(np.argmin(places))]
        raise KeyError(f"{what} {unknown if isinstance(unknown, np.integer) else repr(unknown)} is unknown")
    return places


def flat(found: dict[str, Any], k: Union[SupportsIndex, Iterable[SupportsIndex]]) -> dict[str, Any]:
    """Merges the metrics with the other results: one dict, or a dict for each of several cut-offs."""
    metrics = found.pop("metrics")
    if isinstance(k, (int, np.integer)):
        return {**metrics[int(k)], **found}
    return {**metrics, **found}


def _from_bytes(
    kind: type[Model],
    content: bytes,
    kinds: tuple[bool, bool],
    threads: int,
    leaderboard: Trials,
    weightings: Table,
) -> Model:
    model = kind(_bspm.Core.from_bytes(content, kinds, threads=threads), threads)
    model._leaderboard = leaderboard
    model._weightings = weightings
    return model


def _trial_of(reading: dict[str, Any], weighting: Optional[Weighting]) -> Callable[[str], Trial]:
    """Returns a parser of the trials of a search with these options for reading and the chosen weighting."""
    given = {name: value for name, value in reading.items() if value is not None}
    return lambda text: Trial(json.loads(text))._of_search(given, weighting)


def _table_of_weightings(trials: list[tuple[Weighting, float]]) -> Table:
    return Table(
        {
            "weight_scale": [scale or "linear" for (scale, _), _ in trials],
            "half_life": [half_life for (_, half_life), _ in trials],
            "ndcg": [ndcg for _, ndcg in trials],
        }
    )


def _with_chosen_weighting(
    interactions: Interactions,
    tags: Optional[dict[str, Any]],
    threads: int,
    seed: int,
    progress: Any,
) -> tuple[Interactions, Table, Weighting]:
    """Returns the interactions with the weights that predict a held-out part best, the comparison, and the choice."""
    chosen, trials = _bspm.choose_weighting(
        interactions.csr,
        interactions.times,
        tags=tags,
        threads=threads,
        seed=seed,
        progress=progress_of(progress),
    )
    trials.sort(key=lambda trial: trial[0] != chosen)
    return interactions._reweighted(*chosen), _table_of_weightings(trials), chosen


def tune(
    data: Any,
    *,
    user: Optional[Column] = None,
    item: Optional[Column] = None,
    weight: Optional[Column] = None,
    time: Optional[Column] = None,
    rating: Optional[Column] = None,
    rating_threshold: Optional[float] = None,
    weight_scale: Optional[str] = None,
    half_life: Optional[HalfLife] = None,
    duplicates: Optional[str] = None,
    tags: Any = None,
    tag: Optional[Column] = None,
    tag_item: Optional[Column] = None,
    tag_weight: Optional[float] = None,
    metric: str = "ndcg",
    k: SupportsIndex = 20,
    trials: int = 300,
    minutes: float = 10.0,
    popularity_penalty: float = 0.0,
    filters: Sequence[str] = (),
    ratio: float = 0.2,
    seed: int = 0,
    num_threads: int = 0,
    progress: Any = None,
    callback: Optional[Callable[[Trial], Any]] = None,
    checkpoint: Union[str, os.PathLike[str], None] = None,
) -> Trials:
    """Searches for the filter and the settings that fit the data best.

    The search compares settings on held-out interactions: the share ``ratio`` of each user's
    interactions, the latest ones if there are times, otherwise ones chosen at random. It ends after
    ``trials`` trials, and starts no trial after ``minutes`` minutes. It maximises ``metric`` at the cut-off ``k``, minus
    ``popularity_penalty`` times the mean popularity of a list. ``filters`` restricts the search to some
    filters. The options for reading and for tags are those of ``Model.fit``; ``tag_weight`` is 1 by
    default.

    ``progress`` is True or tqdm for one bar over the trials with the best value, or a callback that
    receives the stage, the completed amount and the total. ``callback`` receives each :class:`Trial`. Ctrl-C
    ends the search, keeps its trials and sets ``is_interrupted``. With ``checkpoint``, each trial is written
    to this file before the next one begins, and the same call continues an earlier search.

    Without ``weight_scale`` and ``half_life``, they are chosen as in ``Model.fit``.

    Returns the trials, best first; ``to_pandas`` returns them as a table. Each is a dict with ``config`` (for ``Model.fit``), ``value``,
    ``metrics``, ``fit_seconds``, ``score_seconds`` and ``outcome``. ``best`` is the first, and
    ``best.fit(data)`` fits its model, with the options for reading and the weights of the search.
    """
    reading = read_options(
        user=user,
        item=item,
        weight=weight,
        time=time,
        rating=rating,
        rating_threshold=rating_threshold,
        weight_scale=weight_scale,
        half_life=half_life,
        duplicates=duplicates,
    )
    check(
        metric=metric,
        trials=trials,
        minutes=minutes,
        popularity_penalty=popularity_penalty,
        ratio=ratio,
        seed=seed,
        progress=progress,
        callback=callback,
    )
    if ratio is None:
        raise TypeError("ratio: expected a number, found None")
    interactions = Interactions.of(data, **reading)
    weightings = _table_of_weightings([])
    weighting: Optional[Weighting] = None
    if not interactions._has_weighting:
        interactions, weightings, weighting = _with_chosen_weighting(
            interactions, None, threads_of(num_threads), whole(seed, "seed"), progress
        )
    interactions, tag_rows = with_tags(interactions, tags, tag, tag_item, tag_weight)
    options = {
        "metric": metric,
        "k": whole(k, "k", 1),
        "trials": int(trials),
        "seconds": float(minutes) * 60.0,
        "popularity_penalty": float(popularity_penalty),
        "filters": names_in(filters, "filters"),
        "ratio": float(ratio),
        "seed": whole(seed, "seed"),
    }
    threads = threads_of(num_threads)
    trial_of = _trial_of(reading, weighting)
    trials_found = search(interactions, tag_rows, options, threads, progress, callback, checkpoint, trial_of)
    trials_found.weightings = weightings
    return trials_found
