"""The adapters inside the packages that they are for, where those are installed."""

import json

import numpy as np
import pandas as pd
import pytest

import bspm

FILTERS = ["bspm", "gf-cf", "item-knn", "ease-r"]


@pytest.fixture(scope="module")
def frame(pairs):
    users, items = pairs
    return pd.DataFrame({"user_id": users + 100, "item_id": items + 500})


@pytest.mark.parametrize("filter", FILTERS)
def test_rectools_recommends_what_the_model_does(frame, filter):
    rectools = pytest.importorskip("rectools")
    dataset_module = pytest.importorskip("rectools.dataset")
    adapter = pytest.importorskip("bspm.rectools")
    settings = {"factor_dim": 6} if filter == "gf-cf" else {}
    columns = rectools.Columns
    interactions = frame.assign(**{columns.Weight: 1.0, columns.Datetime: "2026-01-01"})
    dataset = dataset_module.Dataset.construct(interactions)
    model = adapter.BSPMModel(filter, **settings).fit(dataset)
    users = frame.user_id.unique()
    found = model.recommend(users, dataset, k=5, filter_viewed=True)
    own = bspm.Model.fit(frame, filter, user="user_id", item="item_id", **settings)
    for user in users[:20]:
        lists = found[found.user_id == user].sort_values("rank")
        assert len(lists) == 5
        expected = own.recommend(int(user), 5)
        np.testing.assert_allclose(lists.score.to_numpy(), expected.scores, rtol=1e-4)
        seen = set(frame[frame.user_id == user].item_id)
        assert not seen & set(lists.item_id)
    similar = model.recommend_to_items(frame.item_id.unique()[:3], dataset, k=3)
    assert len(similar) == 9
    chosen = model.recommend(users, dataset, 3, True, items_to_recommend=[500, 501, 502, 503])
    assert set(chosen.item_id) <= {500, 501, 502, 503}


KINDS = ["ItemItemRecommender", "CosineRecommender", "TFIDFRecommender", "BM25Recommender"]


@pytest.mark.parametrize("kind", KINDS)
def test_rectools_wraps_the_implicit_face(frame, kind):
    rectools = pytest.importorskip("rectools")
    models = pytest.importorskip("rectools.models")
    dataset_module = pytest.importorskip("rectools.dataset")
    theirs = pytest.importorskip("implicit.nearest_neighbours")
    from bspm import implicit

    columns = rectools.Columns
    weights = np.random.default_rng(3).integers(1, 6, len(frame))
    interactions = frame.assign(**{columns.Weight: weights, columns.Datetime: "2026-01-01"})
    dataset = dataset_module.Dataset.construct(interactions)
    for options in ({}, {"items_to_recommend": frame.item_id.unique()[::2]}):
        lists = []
        for module in (theirs, implicit):
            wrapper = models.ImplicitItemKNNWrapperModel(getattr(module, kind)(K=8))
            wrapper.fit(dataset)
            # Some lists have fewer than 20 items.
            lists.append(wrapper.recommend(frame.user_id.unique(), dataset, 20, True, **options))
            lists[-1]["score"] = lists[-1].score.astype(np.float32)
        assert 100 < len(lists[0]) < 60 * 20
        pd.testing.assert_frame_equal(*lists)
    similar = []
    for module in (theirs, implicit):
        wrapper = models.ImplicitItemKNNWrapperModel(getattr(module, kind)(K=8)).fit(dataset)
        similar.append(wrapper.recommend_to_items(frame.item_id.unique(), dataset, 5))
    pd.testing.assert_frame_equal(*similar)


def config_models():
    from bspm.rectools import BSPMModel

    return [
        BSPMModel(),
        BSPMModel("gf-cf", num_threads=2, verbose=1, factor_dim=np.int64(6), alpha=np.float32(0.5)),
        BSPMModel("bspm", preset="gowalla", settings={"factor_dim": 6, "sharpen_time": None}),
        BSPMModel("ease-r", lambda_=30.0),
    ]


@pytest.mark.parametrize("place", range(4))
def test_rectools_models_have_configs(frame, place):
    rectools = pytest.importorskip("rectools")
    models = pytest.importorskip("rectools.models")
    adapter = pytest.importorskip("bspm.rectools")
    model = config_models()[place]
    config = model.get_config(mode="pydantic")
    assert isinstance(config, adapter.BSPMModelConfig) and config.cls is adapter.BSPMModel
    simple = json.loads(json.dumps(model.get_config(simple_types=True)))
    assert simple["cls"] == "bspm.rectools.BSPMModel"
    flat = model.get_params(simple_types=True)
    assert flat["filter"] == model.filter and flat["verbose"] == model.verbose
    copies = [
        adapter.BSPMModel.from_config(config),
        adapter.BSPMModel.from_config(model.get_config()),
        adapter.BSPMModel.from_config(simple),
        adapter.BSPMModel.from_params(model.get_params()),
        models.model_from_config(config),
        models.model_from_config(simple),
        models.model_from_params(flat),
    ]
    for copy in copies:
        assert type(copy) is adapter.BSPMModel and not copy.is_fitted
        assert copy.get_config(simple_types=True) == simple
    if place != 1:
        return
    columns = rectools.Columns
    interactions = frame.assign(**{columns.Weight: 1.0, columns.Datetime: "2026-01-01"})
    dataset = rectools.dataset.Dataset.construct(interactions)
    users = frame.user_id.unique()
    lists = [it.fit(dataset).recommend(users, dataset, 5, True) for it in (model, copies[-1])]
    pd.testing.assert_frame_equal(*lists)


def test_rectools_configs_are_checked():
    adapter = pytest.importorskip("bspm.rectools")
    for config in (
        {"filter": "gf-cf", "factors": 3},
        {"filter": "gf-cf", "settings": {"factors_dim": 3}},
        {"filter": "no-such"},
    ):
        with pytest.raises(ValueError, match="factors|no-such"):
            adapter.BSPMModel.from_config(config)
    with pytest.raises(TypeError):
        adapter.BSPMModel.from_config({"cls": "EASEModel"})


@pytest.mark.parametrize("kind", KINDS)
def test_rectools_configs_name_the_implicit_face(kind):
    models = pytest.importorskip("rectools.models")
    pytest.importorskip("bspm.rectools")
    from bspm import implicit

    inner = getattr(implicit, kind)(K=7)
    if kind == "BM25Recommender":
        inner.set_params(K1=2.0, B=0.5)
    model = models.ImplicitItemKNNWrapperModel(inner)
    simple = json.loads(json.dumps(model.get_config(simple_types=True)))
    assert simple["model"]["cls"] == f"bspm.implicit.nearest_neighbours.{kind}"
    for copy in (models.model_from_config(simple), models.model_from_params(model.get_params())):
        assert copy.get_config() == model.get_config()


@pytest.fixture(scope="module")
def lenskit_data(frame):
    data = pytest.importorskip("lenskit.data")
    return data.from_interactions_df(frame)


@pytest.mark.parametrize("filter", FILTERS)
def test_lenskit_scores_as_the_model_does(frame, lenskit_data, filter):
    pytest.importorskip("lenskit")
    from lenskit import operations
    from lenskit.pipeline import topn_pipeline

    from bspm.lenskit import BSPMConfig, BSPMScorer

    settings = {"factor_dim": 6} if filter == "gf-cf" else {}
    scorer = BSPMScorer(BSPMConfig(filter=filter, settings=settings))
    pipeline = topn_pipeline(scorer)
    pipeline.train(lenskit_data)
    own = bspm.Model.fit(frame, filter, user="user_id", item="item_id", **settings)
    for user in frame.user_id.unique()[:10]:
        found = operations.recommend(pipeline, int(user), n=5)
        expected = own.recommend(int(user), 5)
        np.testing.assert_allclose(found.scores(), expected.scores, rtol=1e-4)
    unknown = operations.score(pipeline, 101, [500, 999_999])
    scores = unknown.scores()
    assert np.isfinite(scores[0]) and np.isnan(scores[1])


def test_lenskit_scorers_have_parameters():
    pytest.importorskip("lenskit")
    from bspm.lenskit import BSPMScorer

    scorer = BSPMScorer(filter="gf-cf", settings={"factor_dim": 6})
    expected = {"filter": "gf-cf", "preset": None, "settings": {"factor_dim": 6}, "num_threads": 0}
    assert scorer.get_params() == expected
    assert scorer.set_params(num_threads=2) is scorer and scorer.config.num_threads == 2
    for wrong in ({"factors": 3}, {"settings": {"factors_dim": 3}}, {"filter": "no-such"}):
        with pytest.raises(ValueError):
            scorer.set_params(num_threads=5, **wrong)
    assert scorer.get_params() == {**expected, "num_threads": 2}
    copied = pytest.importorskip("sklearn.base").clone(scorer)
    assert type(copied) is BSPMScorer and copied.get_params() == scorer.get_params()
    copied.config.settings["factor_dim"] = 4
    assert scorer.config.settings == {"factor_dim": 6} and not copied.is_trained()


def test_optuna_finds_a_setting(pairs):
    optuna = pytest.importorskip("optuna")
    users, items = pairs
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    held_out = np.arange(len(users)) % 5 == 0
    train = bspm.Interactions.from_pairs(users[~held_out], items[~held_out])
    test = bspm.Interactions.from_pairs(users[held_out], items[held_out])

    def objective(trial):
        factors = trial.suggest_int("factor_dim", 2, 12)
        alpha = trial.suggest_float("alpha", 0.05, 1.0)
        model = bspm.Model.fit(train, "gf-cf", factor_dim=factors, alpha=alpha)
        return model.evaluate(test, k=10, skip_unknown=True)["ndcg"]

    study = optuna.create_study(direction="maximize")
    study.optimize(objective, n_trials=5)
    assert study.best_value > 0.2


@pytest.mark.parametrize("name", [name for name in bspm.filters() if name not in ("mix", "neighbours")])
def test_optuna_searches_the_settings_of_any_filter(name, pairs):
    optuna = pytest.importorskip("optuna")
    from bspm.optuna import suggest

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    train = bspm.Interactions.from_pairs(*pairs)

    def objective(trial):
        settings = suggest(trial, name, shape=train.shape, prefix=f"{name}.")
        assert {key.split(".", 1)[1] for key in trial.params} == set(settings)
        model = bspm.Model.fit(train, name, settings=settings)
        return len(model.recommend_many(k=3)[0])

    optuna.create_study().optimize(objective, n_trials=3)
    with pytest.raises(KeyError, match="filter: expected one of"):
        suggest(None, "none")
