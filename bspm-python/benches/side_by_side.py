"""Compares packages: fit time, time for the lists of all test users, peak memory, recall and NDCG.

    python side_by_side.py gowalla/ bspm/gf-cf implicit/als rectools/ease lenskit/knn

Each model runs in a separate process with two threads. All use the same evaluation: 20 items that the user
has not seen, for every user of the test set. Packages that are not installed are left out.
"""

import json
import os
import resource
import subprocess
import sys
import time

THREADS = 2
K = 20
for variable in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS"]:
    os.environ.setdefault(variable, str(THREADS))
os.environ.setdefault("LK_NUM_PROCS", str(THREADS))

ALL = [
    "bspm/bspm", "bspm/gf-cf", "bspm/turbo-cf", "bspm/rp3beta", "bspm/item-knn",
    "implicit/als", "implicit/cosine", "implicit/bm25", "rectools/ease", "rectools/popular",
    "lenskit/knn", "lenskit/als",
]


def read(folder, name):
    rows = [list(map(int, line.split())) for line in open(os.path.join(folder, name))]
    return {row[0]: row[1:] for row in rows if len(row) > 1}


def metrics(lists, test):
    """Returns the mean recall and NDCG at K over the test users."""
    import numpy as np

    discounts = 1 / np.log2(np.arange(2, K + 2))
    recall, ndcg = [], []
    for user, relevant in test.items():
        wanted = set(relevant)
        hits = np.array([item in wanted for item in lists[user][:K]] + [False] * K)[:K]
        recall.append(hits.sum() / len(wanted))
        ndcg.append((hits * discounts).sum() / discounts[: min(K, len(wanted))].sum())
    return float(np.mean(recall)), float(np.mean(ndcg))


def of_bspm(name, train, users):
    import bspm

    pairs = [(user, item) for user, items in train.items() for item in items]
    data = bspm.Interactions.from_pairs([pair[0] for pair in pairs], [pair[1] for pair in pairs])
    start = time.perf_counter()
    model = bspm.Model.fit(data, name, preset="gowalla", num_threads=THREADS)
    fitted = time.perf_counter()
    items, _ = model.recommend_many(users, K)
    done = time.perf_counter()
    return {user: row.tolist() for user, row in zip(users, items)}, fitted - start, done - fitted


def of_implicit(name, train, users):
    import numpy as np
    import scipy.sparse
    from implicit.als import AlternatingLeastSquares
    from implicit.nearest_neighbours import BM25Recommender, CosineRecommender

    rows = np.repeat(list(train), [len(items) for items in train.values()])
    columns = np.concatenate(list(train.values()))
    matrix = scipy.sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)))
    model = {
        "als": lambda: AlternatingLeastSquares(64, num_threads=THREADS, random_state=0),
        "cosine": lambda: CosineRecommender(100, num_threads=THREADS),
        "bm25": lambda: BM25Recommender(100, num_threads=THREADS),
    }[name]()
    start = time.perf_counter()
    model.fit(matrix, show_progress=False)
    fitted = time.perf_counter()
    items, _ = model.recommend(np.array(users), matrix[users], N=K)
    done = time.perf_counter()
    return {user: row.tolist() for user, row in zip(users, items)}, fitted - start, done - fitted


def of_rectools(name, train, users):
    import numpy as np
    import pandas as pd
    from rectools import Columns
    from rectools.dataset import Dataset
    from rectools.models import EASEModel, PopularModel

    frame = pd.DataFrame(
        {
            Columns.User: np.repeat(list(train), [len(items) for items in train.values()]),
            Columns.Item: np.concatenate(list(train.values())),
            Columns.Weight: 1.0,
            Columns.Datetime: pd.Timestamp("2026-01-01"),
        }
    )
    dataset = Dataset.construct(frame)
    model = {"ease": lambda: EASEModel(regularization=100), "popular": PopularModel}[name]()
    start = time.perf_counter()
    model.fit(dataset)
    fitted = time.perf_counter()
    found = model.recommend(users, dataset, k=K, filter_viewed=True)
    done = time.perf_counter()
    lists = found.sort_values([Columns.User, Columns.Rank]).groupby(Columns.User)[Columns.Item].apply(list)
    return {user: lists.get(user, []) for user in users}, fitted - start, done - fitted


def of_lenskit(name, train, users):
    import numpy as np
    import pandas as pd
    from lenskit import batch
    from lenskit.als import ImplicitMFScorer
    from lenskit.data import from_interactions_df
    from lenskit.knn import ItemKNNScorer
    from lenskit.pipeline import topn_pipeline

    frame = pd.DataFrame(
        {
            "user_id": np.repeat(list(train), [len(items) for items in train.values()]),
            "item_id": np.concatenate(list(train.values())),
        }
    )
    data = from_interactions_df(frame)
    scorer = {
        "knn": lambda: ItemKNNScorer(max_nbrs=100, feedback="implicit"),
        "als": lambda: ImplicitMFScorer(embedding_size=64),
    }[name]()
    pipeline = topn_pipeline(scorer, n=K)
    start = time.perf_counter()
    pipeline.train(data)
    fitted = time.perf_counter()
    found = batch.recommend(pipeline, users, n=K, n_jobs=THREADS)
    done = time.perf_counter()
    lists = {key.user_id: list(found.ids()) for key, found in found.items()}
    return lists, fitted - start, done - fitted


PACKAGES = {"bspm": of_bspm, "implicit": of_implicit, "rectools": of_rectools, "lenskit": of_lenskit}


def measure(folder, name):
    package, model = name.split("/")
    train, test = read(folder, "train.txt"), read(folder, "test.txt")
    lists, fit, rank = PACKAGES[package](model, train, list(test))
    recall, ndcg = metrics(lists, test)
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(json.dumps({"model": name, "fit_s": fit, "rank_s": rank, "peak_mb": peak / 1024, "recall": recall, "ndcg": ndcg}))


def main():
    if sys.argv[1] == "--one":
        return measure(*sys.argv[2:])
    folder, *names = sys.argv[1:]
    print(f"{'model':20} {'fit s':>8} {'rank s':>8} {'peak MB':>8} {'recall':>8} {'ndcg':>8}")
    for name in names or ALL:
        done = subprocess.run([sys.executable, __file__, "--one", folder, name], capture_output=True, text=True)
        if done.returncode != 0:
            lines = done.stderr.strip().splitlines()
            print(f"{name:20} {lines[-1] if lines else f'ended with {done.returncode}'}", flush=True)
            continue
        row = json.loads(done.stdout.splitlines()[-1])
        values = f"{row['fit_s']:8.1f} {row['rank_s']:8.1f} {row['peak_mb']:8.0f} {row['recall']:8.4f} {row['ndcg']:8.4f}"
        print(f"{row['model']:20} {values}", flush=True)


if __name__ == "__main__":
    main()
