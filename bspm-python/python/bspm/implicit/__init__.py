"""Filters with the interface of the package implicit (0.7), as a drop-in replacement.

Every class takes its settings and ``num_threads``, and has ``fit``, ``recommend``, ``similar_items``,
``similar_users``, ``save`` and ``load``. Objects can be pickled and copied before and after the fit.
Matrices are users x items in compressed sparse rows. Ids are row and column numbers.
"""

from __future__ import annotations

from .nearest_neighbours import (
    BM25Recommender,
    CosineRecommender,
    ItemItemRecommender,
    TFIDFRecommender,
    all_pairs_knn,
    bm25_weight,
    normalize,
    tfidf_weight,
)
from .recommender_base import ParameterWarning, RecommenderBase

__all__ = [
    "ALL",
    "BM25Recommender",
    "BSPM",
    "ChebyCF",
    "CosineRecommender",
    "EASEDAN",
    "EASER",
    "Family",
    "GFCF",
    "ItemItemRecommender",
    "ItemKNN",
    "LGCNIDE",
    "LinkProp",
    "ParameterWarning",
    "Popularity",
    "RP3Beta",
    "RecommenderBase",
    "SGFCF",
    "SVDAE",
    "TFIDFRecommender",
    "TurboCF",
    "all_pairs_knn",
    "bm25_weight",
    "normalize",
    "tfidf_weight",
]


class BSPM(RecommenderBase):
    """Blurring-Sharpening Process Models (SIGIR 2023)."""


class GFCF(RecommenderBase):
    """Blur and an ideal low-pass filter (CIKM 2021)."""

    filter = "gf-cf"


class ChebyCF(RecommenderBase):
    """Chebyshev interpolation of a plateau response (SIGIR 2025)."""

    filter = "cheby-cf"


class TurboCF(RecommenderBase):
    """A polynomial of the item graph with its entries raised to a power (SIGIR 2024)."""

    filter = "turbo-cf"


class LinkProp(RecommenderBase):
    """Degree-weighted paths of length three (WWW 2022)."""

    filter = "link-prop"


class LGCNIDE(RecommenderBase):
    """A linear LightGCN without training, with infinitely many dimensions (CIKM 2021)."""

    filter = "lgcn-ide"


class EASER(RecommenderBase):
    """A dense linear autoencoder (WWW 2019)."""

    filter = "ease-r"


class EASEDAN(RecommenderBase):
    """EASE-R of a normalised matrix (SIGIR 2025)."""

    filter = "ease-dan"


class SVDAE(RecommenderBase):
    """A linear autoencoder of low rank (IJCAI 2024)."""

    filter = "svd-ae"


class SGFCF(RecommenderBase):
    """A power of the singular values, plus paths of length three (KDD 2024)."""

    filter = "sgfcf"


class RP3Beta(RecommenderBase):
    """Random walks of three steps, with a penalty on popularity (TiiS 2017)."""

    filter = "rp3beta"


class Family(RecommenderBase):
    """One form that contains the spectral filters."""

    filter = "family"


class Popularity(RecommenderBase):
    """The most popular items, the same list for all users."""

    filter = "popularity"


class ItemKNN(RecommenderBase):
    """The filter item-knn of bspm: neighbours by cosine similarity or Tversky's index.

    The item-item classes of implicit are ``ItemItemRecommender`` and its subclasses.
    """

    filter = "item-knn"


ALL: list[type[RecommenderBase]] = [
    BSPM,
    GFCF,
    ChebyCF,
    TurboCF,
    LinkProp,
    LGCNIDE,
    EASER,
    EASEDAN,
    SVDAE,
    SGFCF,
    RP3Beta,
    Family,
    Popularity,
    ItemKNN,
    ItemItemRecommender,
    CosineRecommender,
    TFIDFRecommender,
    BM25Recommender,
]
"""All classes."""
