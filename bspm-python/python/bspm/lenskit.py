"""A scorer for LensKit (2025): a trainable ``Component`` for its pipelines."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from lenskit.data import Dataset, ItemList, RecQuery, Vocabulary
from lenskit.pipeline import Component
from lenskit.training import Trainable, TrainingOptions
from pydantic import BaseModel

from . import _bspm
from ._model import configuration, fit_matrix


class BSPMConfig(BaseModel, extra="forbid"):
    """Settings of :class:`BSPMScorer`."""

    filter: str = "bspm"
    """One of ``bspm.filters()``."""
    preset: str | None = None
    """Published settings to start from."""
    settings: dict[str, Any] = {}
    """Settings of the filter."""
    num_threads: int = 0
    """The number of threads. Default: 0, all cores."""


class BSPMScorer(Component[ItemList], Trainable):  # type: ignore[misc, unused-ignore]
    """Scores items for the history of a user, with any filter of ``bspm.filters()``."""

    config: BSPMConfig
    items: Vocabulary
    users: Vocabulary
    _core: _bspm.Core

    def is_trained(self) -> bool:
        return hasattr(self, "_core")

    def train(self, data: Dataset, options: TrainingOptions | None = None) -> None:
        if self.is_trained() and options is not None and not options.retrain:
            return
        matrix = data.interactions().matrix().scipy(layout="csr")
        self.items = data.items
        config = self.config
        self._core = fit_matrix(
            matrix, config.filter, config.preset, config.settings, config.num_threads
        )
        self.users = data.users

    def __call__(self, query: RecQuery, items: ItemList) -> ItemList:
        history = self._history(query)
        if len(history) == 0:
            return ItemList(items, scores=np.full(len(items), np.nan, dtype=np.float32))
        rows = {
            "indptr": np.array([0, len(history)], dtype=np.int64),
            "indices": np.ascontiguousarray(history),
            "data": None,
            "columns": self._core.shape[1],
        }
        scores = self._core.score_histories(rows)[0]
        columns = np.asarray(items.numbers(vocabulary=self.items, missing="negative"))
        known = columns >= 0
        found_scores = np.full(len(items), np.nan, dtype=np.float32)
        found_scores[known] = scores[columns[known]]
        return ItemList(items, scores=found_scores)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Returns the config as a dict, as scikit-learn's estimators do. ``deep`` has no effect."""
        return {name: getattr(self.config, name) for name in type(self.config).model_fields}

    def set_params(self, **params: Any) -> BSPMScorer:
        """Sets parts of the config, which the next training uses. Returns the scorer.

        Raises ValueError for an unknown parameter or setting, and then changes nothing.
        """
        config = type(self.config).model_validate({**self.get_params(), **params})
        configuration(config.filter, (1, 1), config.preset, config.settings)
        self.config = config
        return self

    def __sklearn_clone__(self) -> BSPMScorer:
        return type(self)(self.config.model_copy(deep=True))

    def _history(self, query: RecQuery) -> npt.NDArray[np.int64]:
        """Returns the columns of the history. Unknown items are left out."""
        items = query.query_items
        if items is not None:
            columns = np.asarray(items.numbers(vocabulary=self.items, missing="negative"))
            known: npt.NDArray[np.int64] = np.unique(columns[columns >= 0]).astype(np.int64)
            return known
        row = None if query.user_id is None else self.users.number(query.user_id, missing=None)
        return np.empty(0, np.int64) if row is None else self._core.history(int(row))[0]
