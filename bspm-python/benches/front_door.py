"""Compares the time of Interactions.from_frame with that of factorize of pandas for users and for items.

    python front_door.py 5000000 7 >rows.jsonl

The table has 300,000 users and 100,000 items, drawn from a Zipf-like distribution. Both times are measured in
turn, in one process. Each row of the output has all times in seconds, their medians, and the ratio of the medians.
"""

import json
import statistics
import sys
import time

import numpy as np
import pandas as pd

import bspm

USERS, ITEMS = 300_000, 100_000
SPARSE = 1_000_003 * 7919
"""Ids that are multiples of this number have a range far above the number of rows."""


def drawn(random, count, rows):
    """Returns numbers below ``count`` in a random order of popularity, which falls with the rank."""
    ranks = np.exp(random.random(rows) * np.log(count + 1)).astype(np.int64) - 1
    mixed = np.where(random.random(rows) < 0.5, np.minimum(ranks, count - 1), random.integers(count, size=rows))
    return random.permutation(count)[mixed]


def forms(rows):
    """Yields the name of a form, a table in this form, the pandas table to factorize, and other arguments."""
    random = np.random.default_rng(0)
    users, items = drawn(random, USERS, rows), drawn(random, ITEMS, rows)
    whole = pd.DataFrame({"user": users, "item": items})
    yield "pandas, int64", whole, whole, {}
    sparse = whole * SPARSE
    yield "pandas, int64 of a large range", sparse, sparse, {}
    values = {"weight": random.random(rows) + 0.5, "time": random.integers(1_700_000_000, size=rows)}
    yield "pandas, int64, weights and times", whole.assign(**values), whole, {"weight": "weight", "time": "time"}
    names = [np.array([f"{kind}{number:06}" for number in range(count)], dtype=object) for kind, count in (("u", USERS), ("i", ITEMS))]
    texts = {"user": names[0][users], "item": names[1][items]}
    objects = pd.DataFrame({name: pd.Series(column, dtype=object) for name, column in texts.items()})
    yield "pandas, objects of str", objects, objects, {}
    try:
        import pyarrow as pa
    except ImportError:
        return
    table = pa.table({name: pa.array(column, pa.large_string()) for name, column in texts.items()})
    in_arrow = objects.astype(pd.ArrowDtype(pa.large_string()))
    yield "pandas, strings of Arrow", in_arrow, in_arrow, {}
    yield "PyArrow, strings", table, in_arrow, {}
    try:
        import polars
    except ImportError:
        return
    yield "polars, Int64", polars.DataFrame({"user": users, "item": items}), whole, {}
    yield "polars, String", polars.from_arrow(table), in_arrow, {}


def seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main():
    rows, repeats = int(sys.argv[1]), int(sys.argv[2])
    only = sys.argv[3:]
    for name, frame, compared, arguments in forms(rows):
        if only and name not in only:
            continue
        times = {"bspm_s": [], "factorize_s": []}
        for repeat in range(repeats + 1):
            factorize = seconds(lambda: (pd.factorize(compared["user"]), pd.factorize(compared["item"])))
            read = seconds(lambda: bspm.Interactions.from_frame(frame, **arguments))
            # The first repeat warms the caches and the allocator.
            if repeat > 0:
                times["bspm_s"].append(read)
                times["factorize_s"].append(factorize)
        medians = {f"median_{key}": statistics.median(values) for key, values in times.items()}
        ratio = medians["median_bspm_s"] / medians["median_factorize_s"]
        row = {"form": name, "rows": rows, **medians, "ratio": ratio, **times}
        print(json.dumps({key: round(it, 4) if isinstance(it, float) else it for key, it in row.items()}), flush=True)


if __name__ == "__main__":
    main()
