"""Messages: each names the argument, the value that was passed, and what to do."""

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
    with pytest.raises(ValueError, match="user.*, row 1: expected .*id.*; hint: .*null.*mean a missing id; leave the row out"):
        I.from_frame(table({"user": ["ann", "null"], "item": ["tea", "tea"]}))


def test_ids_beyond_64_bits_are_no_whole_numbers():
    with pytest.raises(ValueError, match="expected a user id that is a whole number below 2.63, found 18446744073709551615"):
        I.from_frame(pa.table({"user": pa.array([1, 2**64 - 1], pa.uint64()), "item": [1, 2]}))


def test_a_half_life_is_shown_as_it_was_given():
    with pytest.raises(ValueError, match='half_life: expected times beside it; .*, found "30d"'):
        I.from_frame({"user": ["ann"], "item": ["tea"]}, half_life="30d")


def test_an_incomplete_configuration_is_refused_with_the_name_of_its_argument():
    with pytest.raises(ValueError, match="config: expected a complete configuration, .*memory_budget.*; hint: settings="):
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
