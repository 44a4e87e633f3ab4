"""The filter that is chosen for the data if none is named."""

import pytest

import bspm

PAIRS = [
    (f"u{user}", f"i{(user * 7 + step * step) % 12 if step % 3 == 0 else 12 + user % 10 * 9 + (user // 10 * 5 + step * step) % 9}")
    for user in range(300)
    for step in range(9)
]


def test_fit_chooses_the_best_of_what_it_tries():
    model = bspm.Model.fit(PAIRS)
    assert len(model.leaderboard) >= 9
    values = [trial["value"] for trial in model.leaderboard if trial["outcome"] == "complete"]
    assert values == sorted(values, reverse=True)
    assert model.config in [trial["config"] for trial in model.leaderboard]
    again = bspm.Model.fit(PAIRS, "auto", num_threads=2)
    assert again.config == model.config
    assert [trial["config"] for trial in again.leaderboard] == [trial["config"] for trial in model.leaderboard]


def test_a_model_file_keeps_what_was_tried(tmp_path):
    model = bspm.Model.fit(PAIRS)
    model.save(tmp_path / "shop.bspm")
    opened = bspm.Model.open(tmp_path / "shop.bspm")
    tried = [(trial["config"], trial["value"]) for trial in opened.leaderboard]
    assert tried == [(trial["config"], trial["value"]) for trial in model.leaderboard]


def test_settings_a_preset_or_a_filter_turn_the_choice_off():
    for model in [
        bspm.Model.fit(PAIRS, factor_dim=3),
        bspm.Model.fit(PAIRS, preset="gowalla", factor_dim=3),
        bspm.Model.fit(PAIRS, "bspm"),
    ]:
        assert list(model.config) == ["bspm"]
        assert model.leaderboard == []
    with pytest.raises(ValueError, match="no effect with filter='auto'"):
        bspm.Model.fit(PAIRS, "auto", factor_dim=3)
    with pytest.raises(ValueError, match="no filter beside it"):
        bspm.Model.fit(PAIRS, "bspm", config={"popularity": {}})


def test_data_with_nothing_to_hold_out_have_a_model():
    model = bspm.Model.fit([("ann", "tea"), ("bob", "tea"), ("cid", "milk")])
    assert list(model.config) == ["bspm"]
    assert model.leaderboard == []
