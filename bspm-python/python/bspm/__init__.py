"""Recommenders without training: BSPM and related graph filters.

A model is computed from one matrix of interactions, without a training loop: ``Model.fit(frame)``.

``Model`` fits, recommends, explains and evaluates with your own ids. ``split`` divides data into a training
part and a test part, ``compare`` evaluates several filters on the same data, and ``evaluate`` computes the
metrics of lists of any system. ``bspm.implicit`` has the interface of the package implicit.
``bspm.lenskit`` and ``bspm.rectools`` are components for those packages.
"""

from ._bspm import __version__, filters
from ._data import Interactions
from ._evaluation import compare, evaluate, split
from ._model import Explanation, Model, Recommendations, tune
from ._tables import Table, Trial, Trials

__all__ = [
    "Explanation",
    "Interactions",
    "Model",
    "Recommendations",
    "Table",
    "Trial",
    "Trials",
    "__version__",
    "compare",
    "evaluate",
    "filters",
    "split",
    "tune",
]
