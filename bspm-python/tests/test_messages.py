"""Messages: each names the argument, the value that was passed, and what to do."""

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import bspm

I = bspm.Interactions


@pytest.mark.parametrize("name", ["latin-1", "latin_1", "ISO8859-1", "iso8859_15", "cp1252", "utf_8"])
def test_encodings_have_the_names_of_python(name, tmp_path):
    path = tmp_path / "log.csv"
    path.write_bytes("user,item\nann,café\n".encode(name))
    assert I.from_file(path, encoding=name).items == ["café"]
    path.write_bytes("user,item\nann,café\n".encode("utf-8-sig"))
    assert I.from_file(path, encoding="utf-8-sig").items == ["café"]
    with pytest.raises(ValueError, match='encoding: expected a label .*, found "rot13"'):
        I.from_file(path, encoding="rot13")


@pytest.mark.parametrize("table", [pd.DataFrame, pl.DataFrame, pa.table, dict])
def test_a_text_that_means_a_missing_id_is_explained(table):
    with pytest.raises(ValueError, match="user.*, row 1: expected .*id.*; hint: .*null.*mean a missing id; leave"):
        I.from_frame(table({"user": ["ann", "null"], "item": ["tea", "tea"]}))


def test_ids_beyond_64_bits_are_no_whole_numbers():
    with pytest.raises(ValueError, match="expected a user id that is a whole number below 2.63, found 18446744"):
        I.from_frame(pa.table({"user": pa.array([1, 2**64 - 1], pa.uint64()), "item": [1, 2]}))


def test_a_half_life_is_shown_as_it_was_given():
    with pytest.raises(ValueError, match='half_life: expected times beside it; .*, found "30d"'):
        I.from_frame({"user": ["ann"], "item": ["tea"]}, half_life="30d")


def test_an_incomplete_configuration_is_refused_with_the_name_of_its_argument():
    with pytest.raises(ValueError, match="config: expected a complete .*memory_budget.*; hint: settings="):
        bspm.Model.fit([("ann", "tea")], config={"ease-r": {"lambda": 3.0}})


def test_a_missing_column_is_shown_with_quotes_and_may_be_the_index():
    frame = pd.DataFrame({"user": ["a", "b"], " item": ["x", "y"]})
    with pytest.raises(KeyError, match="no column 'item'; there are 'user', ' item'; item= names another"):
        I.from_frame(frame)
    frame = pd.DataFrame({"user": ["a", "b"], "item": ["x", "y"], "n": [1, 2]})
    for index in ("user", ["user", "item"]):
        with pytest.raises(KeyError, match=r"no column 'user'.*; hint: frame.reset_index\(\) makes the index a column"):
            I.from_frame(frame.set_index(index))
    frame.columns = ["user", "item", "item"]
    with pytest.raises(ValueError, match="item: expected one column 'item', found 2"):
        I.from_frame(frame)


PAIRS = [("ann", "tea"), ("ann", "milk"), ("bob", "milk"), ("bob", "rice"), ("eve", "tea")]
FIT, SPLIT, TUNE = bspm.Model.fit, bspm.split, bspm.tune


@pytest.fixture(scope="module")
def model():
    return FIT(PAIRS, "gf-cf", factor_dim=2)


@pytest.fixture(scope="module")
def numbers():
    return FIT([(1, 1), (1, 2), (2, 2), (2, 3), (3, 1)], "gf-cf", factor_dim=2)


@pytest.mark.parametrize(
    "call, text",
    [
        (lambda: I.of({}, user=(1, 2)), r"user: expected the name of a column, found \(1, 2\)"),
        (lambda: I.of({}, half_life=[3]), r"half_life: expected a number or a text such as '90d', found \[3\]"),
        (lambda: I.of({}, rating_threshold="4"), "rating_threshold: expected a number, found '4'"),
        (lambda: I.from_file("x.csv", delimiter=";;"), "delimiter: expected one character, found ';;'"),
        (lambda: I.from_file("x.csv", skip_invalid=1), "skip_invalid: expected True or False, found 1"),
        (lambda: I.from_file("x.csv", columns="a,b"), r"columns: expected a list of names, .*; hint: columns=\['a', 'b'\]"),
        (lambda: I.from_file("m.bspm"), "hint: bspm.Model.open opens a model file"),
        (lambda: SPLIT(PAIRS, seed=-1), "seed: expected a whole number, 0 or above, found -1"),
        (lambda: SPLIT(PAIRS, ratio="x"), "ratio: expected a number, found 'x'"),
        (lambda: SPLIT(PAIRS, random=1), "random: expected True or False, found 1"),
        (lambda: TUNE(PAIRS, trials=1.5), "trials: expected a whole number, 0 or above, found 1.5"),
        (lambda: TUNE(PAIRS, trials=-1), "trials: expected a whole number, 0 or above, found -1"),
        (lambda: TUNE(PAIRS, minutes=-1), "minutes: expected a number, 0 or above, found -1"),
        (lambda: TUNE(PAIRS, minutes="x"), "minutes: expected a number, 0 or above, found 'x'"),
        (lambda: TUNE(PAIRS, callback=3), "callback: expected a function, found 3"),
        (lambda: TUNE(PAIRS, filters="gf-cf"), r"filters: expected a list of names, .*; hint: filters=\['gf-cf'\]"),
        (lambda: bspm.compare("a,b", PAIRS), r"filters: expected a list, .*; hint: filters=\['a', 'b'\]"),
        (lambda: FIT(PAIRS, 3), "filter: expected a text, found 3"),
        (lambda: FIT(PAIRS, settings=3), "settings: expected a dict, found 3"),
        (lambda: FIT(PAIRS, num_threads=None), "num_threads: expected a whole number, found None"),
        (lambda: FIT(PAIRS, progress=3), "progress: expected True, tqdm or a callback, found 3"),
        (lambda: FIT(PAIRS, tags={}), "tags: expected at least one tag, found none"),
        (lambda: FIT(PAIRS, "gf-cf", alpha=None), "alpha: expected .*, found None"),
        (lambda: FIT(PAIRS, "gf-cf", factor_dim=-1), "factor_dim: expected .*, found -1"),
        (lambda: bspm.Model("gf-cf"), r"hint: bspm.Model.fit\(data, 'gf-cf'\), or Model.open"),
        (lambda: bspm.Model(), r"hint: bspm.Model.fit\(data\), or Model.open"),
        (lambda: I.of([(1, 2**63), (1, 2)]), "items: expected ids from -2.63 to below 2.63, found 9223372036854775808"),
    ],
)
def test_an_argument_of_another_type_is_named_with_its_value(call, text):
    with pytest.raises((TypeError, ValueError), match=text):
        call()


@pytest.mark.parametrize(
    "call, text",
    [
        (lambda own: own.recommend(1), "user: expected ids that are text, .* found 1; hint: convert them to str"),
        (lambda own: own.recommend(history=[5]), "history: expected ids that are text, .* found 5"),
        (lambda own: own.recommend("ann", deny=[5]), "deny: expected ids that are text, .* found 5"),
        (lambda own: own.recommend("ann", deny=11), r"deny: expected a list of ids, found 11; put it .*: \[11\]"),
        (lambda own: own.recommend_many(1), "users: expected a list of ids, found 1"),
        (lambda own: own.recommend(history=10), "history: expected a list of ids, found 10"),
        (lambda own: own.score("ann", 13), "items: expected a list of ids, found 13"),
        (lambda own: own.similar_items(3), "item: expected ids that are text"),
        (lambda own: own.recommend("ann", fallback=True), "fallback: expected a text, found True"),
        (lambda own: own.recommend("ann", keep_seen=1), "keep_seen: expected True or False, found 1"),
        (lambda own: own.recommend("ann", where=str), "where: expected a text, found <class 'str'>"),
        (lambda own: own.recommend("ann", minimum_score="x"), "minimum_score: expected a number, found 'x'"),
        (lambda own: own.recommend("ann", popularity_penalty="x"), "popularity_penalty: expected a number, found 'x'"),
        (lambda own: own.recommend("ann", boost=["b"]), r"boost: expected a dict, found \['b'\]"),
        (lambda own: own.recommend("ann", boost={"b": "x"}), "boost: expected a factor for each condition, found 'x'"),
        (lambda own: own.recommend("ann", boost={"b": 2}), "boost: expected a model with an item table, .*; hint: .*items="),
        (lambda own: own.recommend("ann", at_most={"b": 2}), "at_most: expected a model with an item table"),
        (lambda own: own.recommend(history={"tea": "x"}), "history: expected numbers"),
        (lambda own: own.evaluate(PAIRS, detailed=2), "detailed: expected True or False, found 2"),
    ],
)
def test_an_argument_of_a_list_is_named_with_its_value(model, call, text):
    with pytest.raises((TypeError, ValueError), match=text):
        call(model)


def test_ids_of_a_model_of_whole_numbers(numbers):
    with pytest.raises(TypeError, match="user: expected ids that are whole numbers, .* found '2'; hint: convert"):
        numbers.recommend("2")
    with pytest.raises(ValueError, match="user: expected ids from -2.63 to below 2.63"):
        numbers.recommend(2**63)
    assert numbers.recommend(np.int64(2), k=np.int32(1)).items == numbers.recommend(2, 1).items
    assert numbers.recommend(history=np.array([1])) == numbers.recommend(history={1}) == numbers.recommend(history=[1])
    assert numbers.recommend(history=pd.Series([1])) == numbers.recommend(history=[1])


@pytest.mark.parametrize(
    "given, hint",
    [("gf_cf", "gf-cf"), ("gfcf", "gf-cf"), ("GF-CF", "gf-cf"), ("EASE_R", "ease-r"), ("SGFCF", "sgfcf")],
)
def test_a_filter_that_is_spelled_otherwise_is_proposed(given, hint):
    with pytest.raises(ValueError, match=f"did you mean {hint}\\?"):
        FIT(PAIRS, given)


def test_a_half_life_may_be_a_timedelta():
    log = {"user": [1, 2], "item": [1, 1], "at": [1_700_000_000, 1_700_000_000 + 30 * 86400]}
    expected = I.from_frame(log, time="at", half_life="30d")
    for half_life in (datetime.timedelta(days=30), pd.Timedelta("30D")):
        assert I.from_frame(log, time="at", half_life=half_life) == expected


def test_a_trial_is_a_configuration():
    pairs = [(user, item) for user in range(9) for item in range(user % 4 + 3)]
    trial = TUNE(pairs, trials=1, k=2, filters=["rp3beta"]).best
    assert FIT(PAIRS, config=trial).config == FIT(PAIRS, config=trial["config"]).config


def test_a_file_that_is_no_model_is_refused_with_a_hint(tmp_path):
    (tmp_path / "log.csv").write_text("user,item\nann,tea\n" * 9)
    with pytest.raises(ValueError, match="log.csv: .*; hint: bspm.Model.fit reads data"):
        bspm.Model.open(tmp_path / "log.csv")


def test_items_in_the_index_and_missing_ids_have_a_hint():
    table = pd.DataFrame({"title": ["Tea", "Milk"]}, index=pd.Index(["tea", "milk"], name="item"))
    with pytest.raises(KeyError, match=r"no column 'item' in items; hint: items.reset_index\(\) makes"):
        FIT(PAIRS, "popularity", items=table)
    for missing in (None, float("nan")):
        with pytest.raises(ValueError, match=r"user, row 1: .* found (None|nan); hint: .*dropna\(\)"):
            I.from_frame(pd.DataFrame({"user": ["a", missing], "item": [1, 2]}))
    with pytest.raises(ValueError, match=r"item, row 1: .* found nan; hint: .*dropna\(\)"):
        I.from_frame(pd.DataFrame({"user": [1, 2], "item": [1, None]}))


def test_warnings_point_to_the_caller_and_name_what_it_can_do(tmp_path):
    rows = {"user": ["a ", "b ", "NA"], "item": ["x", "y", "x"]}
    pd.DataFrame(rows).to_csv(tmp_path / "rows.csv", index=False)
    tables = [rows, pd.DataFrame(rows), pa.table(rows), tmp_path / "rows.csv"]
    for data in tables:
        for read in (bspm.Interactions.of, lambda data: bspm.Model.fit(data, "popularity")):
            with pytest.warns(UserWarning, match="start or end with a space") as found:
                read(data)
            assert {it.filename for it in found} == {__file__}
            text = " ".join(str(it.message) for it in found)
            names_options = "trim_ids=True" in text and "null_values=" in text
            assert names_options == (data is tables[-1]), text


@pytest.mark.parametrize(
    "call, text",
    [
        (lambda: bspm.tune([("a", "x")], trials=None), "trials: expected a whole number, 0 or above, found None"),
        (lambda: bspm.tune([("a", "x")], minutes=None), "minutes: expected a number, 0 or above, found None"),
        (lambda: bspm.tune([("a", "x")], ratio=None), "ratio: expected a number, found None"),
        (lambda: bspm.tune([("a", "x")], seed=None), "seed: expected a whole number, found None"),
        (lambda: bspm.Model.fit([("a", "x")], "popularity").recommend("a", keep_seen=None), "keep_seen: expected True"),
        (lambda: bspm.Model.fit([("a", "x")], "popularity").recommend("a", diversity=None), "diversity: expected a num"),
        (lambda: bspm.Interactions.from_file("absent.csv", trim_ids=None), "trim_ids: expected True or False, found None"),
    ],
)
def test_none_is_no_number_and_no_flag(call, text):
    with pytest.raises(TypeError, match=text):
        call()


def test_bytes_that_are_no_text_are_shown_with_their_row():
    with pytest.raises(ValueError, match=r"user, row 1: expected bytes that are UTF-8, found b'\\xff'"):
        bspm.Interactions.of({"user": [b"a", b"\xff"], "item": [1, 2]})


@pytest.mark.parametrize("given", [86_400, 86_400.0, "1d", datetime.timedelta(days=1), np.float32(86_400)])
def test_interactions_have_their_half_life_as_a_number(given):
    found = bspm.Interactions.from_pairs(["a", "a"], ["x", "y"], times=[1.6e9, 1.7e9], half_life=given)
    assert found.half_life == 86_400.0
