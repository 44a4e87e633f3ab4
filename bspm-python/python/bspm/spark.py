"""Lists for the rows of a DataFrame of Spark, or of an engine that supports Spark Connect, such as Sail.

The model file must exist on all workers under the same path. Each process maps it into memory once.
"""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any, Iterator

from ._model import Model

if TYPE_CHECKING:
    import pyarrow as pa

_REQUEST = ("history", "weights", "deny", "allow", "where")


@functools.lru_cache(maxsize=2)
def _opened(path: str, modified: int, num_threads: int) -> Model:
    return Model.open(path, num_threads=num_threads)


def _open(path: str, num_threads: int) -> Model:
    return _opened(path, os.stat(path).st_mtime_ns, num_threads)


def recommend(
    frame: Any,
    model: str,
    k: int = 10,
    *,
    keep_seen: bool = False,
    skip_unknown: bool = False,
    num_threads: int = 1,
) -> Any:
    """Returns the DataFrame with the lists of its rows, in the columns ``items`` and ``scores``.

    The columns of ``frame`` are those of :meth:`bspm.Model.recommend_arrow`. ``model`` is the path of a
    model file. The lists do not depend on how the engine splits the rows, to the last bit. An engine starts
    as many processes as it has cores, so one thread in each process is enough.
    """
    from pyspark.sql.types import ArrayType, FloatType, LongType, StringType, StructField, StructType

    path = os.path.abspath(model)
    has_numbers = _open(path, num_threads)._core.kinds[1]
    item = LongType() if has_numbers else StringType()
    kept = [field for field in frame.schema.fields if field.name not in _REQUEST]
    schema = StructType(
        kept
        + [StructField("items", ArrayType(item)), StructField("scores", ArrayType(FloatType()))]
    )

    def lists(batches: Iterator["pa.RecordBatch"]) -> Iterator["pa.RecordBatch"]:
        import pyarrow as pa

        opened = _open(path, num_threads)
        for batch in batches:
            found = opened.recommend_arrow(
                batch, k, keep_seen=keep_seen, skip_unknown=skip_unknown
            )
            yield pa.record_batch(found)

    return frame.mapInArrow(lists, schema)
