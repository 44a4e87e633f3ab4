"""Tags of items: a table, a file or a dict; items without interactions have scores."""

import pandas as pd
import pytest

import bspm


def interactions():
    """Users of even numbers like even items, the others odd ones."""
    return pd.DataFrame(
        [
            (f"u{user}", f"i{2 * ((user // 2 + step * (step + 1)) % 15) + user % 2}")
            for user in range(40)
            for step in range(6)
        ],
        columns=["user", "item"],
    )


def tags():
    pairs = [(f"i{item}", ("even", "odd")[item % 2]) for item in range(32)]
    return pd.DataFrame(pairs, columns=["item", "tag"])


def fit(tags_, **options):
    return bspm.Model.fit(interactions(), "ease-r", tags=tags_, **options)


def test_items_without_interactions_have_scores(tmp_path):
    model = fit(tags())
    assert model.shape == (40, 32)
    assert "even" not in list(model.users)
    scores = model.score("u0", ["i30", "i31"])
    assert scores[0] > scores[1]
    path = tmp_path / "tags.csv"
    tags().rename(columns={"item": "id", "tag": "category"}).to_csv(path, index=False)
    lists = tags().groupby("item")["tag"].apply(list).to_dict()
    for same in (lists, path):
        options = {"tag": "category"} if same is path else {}
        renamed = interactions().rename(columns={"item": "id"}) if same is path else interactions()
        item = {"item": "id"} if same is path else {}
        other = bspm.Model.fit(renamed, "ease-r", tags=same, **options, **item)
        assert sorted(other.items) == sorted(model.items)
        assert other.recommend("u0", k=30).items[:5] == model.recommend("u0", k=30).items[:5]
    model.save(tmp_path / "m.bspm")
    opened = bspm.Model.open(tmp_path / "m.bspm")
    assert opened.recommend("u0", k=30) == model.recommend("u0", k=30)
    assert opened.refit().recommend("u0", k=30) == model.recommend("u0", k=30)


def test_a_weight_is_chosen_or_given():
    chosen = bspm.Model.fit(interactions(), tags=tags())
    assert chosen.score("u0", ["i30"])[0] > chosen.score("u0", ["i31"])[0]
    light, heavy = fit(tags(), tag_weight=0.1), fit(tags(), tag_weight=10.0)
    assert light.score("u0", ["i30"])[0] < heavy.score("u0", ["i30"])[0]
    tuned = bspm.Model.tune(interactions(), trials=2, filters=["ease-r"], tags=tags())
    assert tuned.shape == (40, 32)


def test_numbers_are_ids_too():
    pairs = [(0, 1), (0, 2), (1, 2), (1, 3), (2, 1), (2, 3)]
    model = bspm.Model.fit(pairs, "gf-cf", factor_dim=1, tags={1: ["a"], 2: ["a"], 9: ["a"]})
    assert sorted(model.items) == [1, 2, 3, 9]
    assert model.score(0, [9])[0] > 0


@pytest.mark.parametrize(
    "options, error, text",
    [
        ({"tag": "category"}, ValueError, "tag: expected tags= as well"),
        ({"tag_weight": 2.0}, ValueError, "tag_weight: expected tags= as well"),
        ({"tags": 3}, TypeError, "tags: expected a table or a file"),
        ({"tags": {1: ["a"]}}, TypeError, "tags: expected ids of items with the type"),
        ({"tags": {"i1": ["a"]}, "tag_weight": 0.0}, ValueError, "tag_weight: "),
        ({"tags": tags(), "tag": "category"}, KeyError, "category"),
    ],
)
def test_tags_that_cannot_be_are_refused(options, error, text):
    with pytest.raises(error, match=text):
        bspm.Model.fit(interactions(), "ease-r", **options)
