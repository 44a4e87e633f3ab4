"""A model for RecTools: ``BSPMModel`` is a ``ModelBase``.

The item-item classes of ``bspm.implicit`` also work in RecTools' ``ImplicitItemKNNWrapperModel``. After the import
of this module, its configs can name them, for example ``bspm.implicit.BM25Recommender``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from implicit import nearest_neighbours as _theirs
from pydantic import field_validator
from rectools.models.base import ModelBase, ModelConfig
from rectools.types import InternalIdsArray

from ._model import all_settings, configuration, fit_matrix
from .implicit import nearest_neighbours as _ours

# RecTools checks that the class in a config is a subclass of implicit's.
for _name in ("ItemItemRecommender", "CosineRecommender", "TFIDFRecommender", "BM25Recommender"):
    getattr(_theirs, _name).register(getattr(_ours, _name))


class BSPMModelConfig(ModelConfig):  # type: ignore[misc, unused-ignore]
    """Config of :class:`BSPMModel`."""

    filter: str = "bspm"
    num_threads: int = 0
    preset: str | None = None
    settings: dict[str, Any] = {}

    @field_validator("settings")
    @classmethod
    def _plain(cls, settings: dict[str, Any]) -> dict[str, Any]:
        """Returns the settings with Python numbers instead of those of NumPy, which JSON does not support."""
        return {
            name: value.item() if isinstance(value, np.generic) else value
            for name, value in settings.items()
        }


class BSPMModel(ModelBase[BSPMModelConfig]):  # type: ignore[misc, unused-ignore]
    """Any filter of ``bspm.filters()`` in RecTools.

    ``filter`` is the name of the filter. Its settings are keywords or items of the dict ``settings``, as in
    ``bspm.Model.fit``.
    """

    recommends_for_warm = False
    recommends_for_cold = False
    config_class = BSPMModelConfig

    def __init__(
        self,
        filter: str = "bspm",
        num_threads: int = 0,
        preset: str | None = None,
        verbose: int = 0,
        settings: dict[str, Any] | None = None,
        **keywords: Any,
    ) -> None:
        super().__init__(verbose=verbose)
        chosen = all_settings(settings, keywords)
        configuration(filter, (1, 1), preset, chosen)
        self.filter, self.preset, self.settings = filter, preset, chosen
        self.num_threads = num_threads

    def _get_config(self) -> BSPMModelConfig:
        return BSPMModelConfig(
            cls=type(self),
            verbose=self.verbose,
            filter=self.filter,
            num_threads=self.num_threads,
            preset=self.preset,
            settings=self.settings,
        )

    @classmethod
    def _from_config(cls, config: BSPMModelConfig) -> BSPMModel:
        return cls(
            config.filter, config.num_threads, config.preset, config.verbose, dict(config.settings)
        )

    def _fit(self, dataset: Any) -> None:
        matrix = dataset.get_user_item_matrix(include_weights=True)
        self._core = fit_matrix(
            matrix, self.filter, self.preset, self.settings, self.num_threads
        )

    def _recommend_u2i(
        self,
        user_ids: InternalIdsArray,
        dataset: Any,
        k: int,
        filter_viewed: bool,
        sorted_item_ids_to_recommend: InternalIdsArray | None,
    ) -> Any:
        ids, scores = self._core.rank(
            np.asarray(user_ids, dtype=np.int64),
            k,
            keep_seen=not filter_viewed,
            allow=_int64(sorted_item_ids_to_recommend),
            fallback="unscored",
        )
        return _long(user_ids, ids, scores)

    def _recommend_i2i(
        self,
        target_ids: InternalIdsArray,
        dataset: Any,
        k: int,
        sorted_item_ids_to_recommend: InternalIdsArray | None,
    ) -> Any:
        items = np.asarray(target_ids, dtype=np.int64)
        rows = {
            "indptr": np.arange(len(items) + 1, dtype=np.int64),
            "indices": items,
            "data": None,
            "columns": self._core.shape[1],
        }
        allow = _int64(sorted_item_ids_to_recommend)
        ids, scores = self._core.rank_histories(
            rows, k, keep_seen=True, allow=allow, fallback="unscored"
        )
        return _long(target_ids, ids, scores)


def _int64(ids: Any) -> Any:
    return None if ids is None else np.asarray(ids, dtype=np.int64)


def _long(queries: Any, ids: Any, scores: Any) -> Any:
    """Returns queries, items and scores, with a row for each entry of a list."""
    is_there = ids >= 0
    users = np.repeat(np.asarray(queries), is_there.sum(axis=1))
    return users, ids[is_there].astype(np.int64), scores[is_there]
