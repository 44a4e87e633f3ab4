"""How other packages define the metrics, as the README says, checked against those installed."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

import bspm

K = 5
USERS, ITEMS = 40, 30


@pytest.fixture(scope="module")
def lists():
    """A list of K items for each user."""
    random = np.random.default_rng(11)
    return np.array([random.permutation(ITEMS)[:K] for _ in range(USERS)])


@pytest.fixture(scope="module")
def relevant():
    """The test items of each user: of some fewer than K, of some more."""
    random = np.random.default_rng(12)
    return [np.sort(random.permutation(ITEMS)[: random.integers(1, 2 * K)]) for _ in range(USERS)]


@pytest.fixture(scope="module")
def hits(lists, relevant):
    return np.array([np.isin(found, wanted) for found, wanted in zip(lists, relevant)])


@pytest.fixture(scope="module")
def sizes(relevant):
    return np.array([len(wanted) for wanted in relevant])


@pytest.fixture(scope="module")
def own(lists, relevant):
    table = {
        "user": np.repeat(np.arange(USERS), K),
        "item": lists.ravel(),
        "rank": np.tile(np.arange(1, K + 1), USERS),
    }
    return bspm.evaluate(table, [(user, int(it)) for user, wanted in enumerate(relevant) for it in wanted], K)


RANKS = np.arange(1, K + 1)
GAINS = 1 / np.log2(RANKS + 1)


def ideal(sizes):
    return np.cumsum(GAINS)[np.minimum(sizes, K) - 1]


def precisions(hits):
    """The sum over the hits of the precision at their rank."""
    return (np.cumsum(hits, axis=1) / RANKS * hits).sum(axis=1)


def test_those_of_this_package(own, hits, sizes):
    assert own["recall"] == pytest.approx((hits.sum(axis=1) / sizes).mean())
    assert own["precision"] == pytest.approx((hits.sum(axis=1) / K).mean())
    assert own["ndcg"] == pytest.approx(((hits @ GAINS) / ideal(sizes)).mean())
    assert own["map"] == pytest.approx((precisions(hits) / np.minimum(sizes, K)).mean())


def test_rectools(own, lists, relevant, hits, sizes):
    metrics = pytest.importorskip("rectools.metrics")
    from rectools import Columns

    users = np.arange(USERS)
    reco = pd.DataFrame(
        {
            Columns.User: np.repeat(users, K),
            Columns.Item: lists.ravel(),
            Columns.Rank: np.tile(RANKS, USERS),
        }
    )
    pairs = [(user, item) for user, wanted in enumerate(relevant) for item in wanted]
    test = pd.DataFrame(pairs, columns=[Columns.User, Columns.Item])
    found = {
        name: metric.calc(reco, test)
        for name, metric in {
            "recall": metrics.Recall(K),
            "precision": metrics.Precision(K),
            "ndcg": metrics.NDCG(K),
            "achievable": metrics.NDCG(K, divide_by_achievable=True),
            "map": metrics.MAP(K),
        }.items()
    }
    assert found["recall"] == pytest.approx(own["recall"])
    assert found["precision"] == pytest.approx(own["precision"])
    assert found["achievable"] == pytest.approx(own["ndcg"])
    assert found["ndcg"] == pytest.approx((hits @ GAINS / GAINS.sum()).mean()) != own["ndcg"]
    assert found["map"] == pytest.approx((precisions(hits) / sizes).mean()) != own["map"]


def test_implicit(own, lists, relevant, hits, sizes):
    evaluation = pytest.importorskip("implicit.evaluation")

    class Given:
        def recommend(self, users, *_, **__):
            return lists[np.asarray(users)].astype(np.int32), np.zeros((len(users), K), np.float32)

    rows = np.repeat(np.arange(USERS), sizes)
    shape = (USERS, ITEMS)
    test = scipy.sparse.csr_matrix((np.ones(len(rows)), (rows, np.concatenate(relevant))), shape)
    train = scipy.sparse.csr_matrix(shape)
    found = evaluation.ranking_metrics_at_k(Given(), train, test, K=K, show_progress=False)
    assert found["ndcg"] == pytest.approx(own["ndcg"])
    assert found["map"] == pytest.approx(own["map"])
    assert found["precision"] == pytest.approx(hits.sum() / np.minimum(sizes, K).sum())
    assert found["precision"] not in (own["precision"], own["recall"])


def test_lenskit(own, lists, relevant, hits, sizes):
    metrics = pytest.importorskip("lenskit.metrics")
    from lenskit.data import ItemList
    from lenskit.metrics.ranking import AveragePrecision

    def mean(metric):
        values = [
            metric.measure_list(ItemList(item_ids=found, ordered=True), ItemList(item_ids=wanted))
            for found, wanted in zip(lists, relevant)
        ]
        return np.mean(values)

    weights = 1 / np.maximum(np.log2(RANKS), 1)
    best = np.cumsum(weights)[np.minimum(sizes, K) - 1]
    recall = (hits.sum(axis=1) / np.minimum(sizes, K)).mean()
    assert mean(metrics.Recall(K)) == pytest.approx(recall) != own["recall"]
    assert mean(metrics.Precision(K)) == pytest.approx(own["precision"])
    assert mean(metrics.NDCG(K)) == pytest.approx((hits @ weights / best).mean()) != own["ndcg"]
    assert mean(AveragePrecision(K)) == pytest.approx(own["map"])


def test_recbole(own, hits, sizes, monkeypatch):
    # It uses names that NumPy has dropped.
    monkeypatch.setattr(np, "float", float, raising=False)
    metrics = pytest.importorskip("recbole.evaluator.metrics")
    config = {"topk": [K], "metric_decimal_place": 10}

    def mean(name, *arguments):
        return getattr(metrics, name)(config).metric_info(*arguments)[:, K - 1].mean()

    assert mean("Recall", hits, sizes) == pytest.approx(own["recall"])
    assert mean("Precision", hits) == pytest.approx(own["precision"])
    assert mean("NDCG", hits, sizes) == pytest.approx(own["ndcg"])
    assert mean("MAP", hits, sizes) == pytest.approx(own["map"])
