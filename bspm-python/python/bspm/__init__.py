"""Training-free recommenders: BSPM and the graph filters around it.

One matrix of interactions is processed, nothing is trained::

    import bspm

    model = bspm.Model.fit(frame, user="user", item="item")
    model.recommend("ann", k=10)

``split`` divides data, ``compare`` evaluates filters side by side, and ``evaluate`` has the metrics
of lists by any system. ``Model`` works on your own ids; ``bspm.implicit`` has the interface of the package implicit,
``bspm.lenskit`` and ``bspm.rectools`` are components for those packages.
"""

from ._bspm import __version__, filters
from ._data import Interactions
from ._evaluation import compare, evaluate, split
from ._model import Explanation, Model, Recommendations, tune

__all__ = [
    "Explanation",
    "Interactions",
    "Model",
    "Recommendations",
    "__version__",
    "compare",
    "evaluate",
    "filters",
    "split",
    "tune",
]
