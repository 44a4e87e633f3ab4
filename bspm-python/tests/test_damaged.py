"""Arrow data that break the format are a ValueError, never the end of the process."""

import subprocess
import sys

import pytest

pytest.importorskip("pyarrow")

PREPARATION = """
import struct
import numpy as np
import pyarrow as pa
import bspm

spoiled = []

def texts(offsets, data=b"annbobeve", type=pa.string()):
    ends = np.zeros(len(offsets), np.int32 if type == pa.string() else np.int64)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(data)]
    array = pa.Array.from_buffers(type, len(offsets) - 1, buffers)
    spoiled.append((ends, offsets))
    return array

def table(user, **others):
    item = pa.array(range(len(user)))
    made = pa.table({"user": user, "item": item, **others})
    # Only now, since PyArrow itself refuses some of them.
    for ends, offsets in spoiled:
        ends[:] = offsets
    return made

model = bspm.Model.fit([("ann", 1), ("bob", 1), ("bob", 2)], "popularity")

def refuses(work, *texts):
    try:
        work()
    except ValueError as error:
        for text in texts:
            assert text in str(error), error
        return
    raise AssertionError("no error")
"""

CASES = {
    "offsets descend": ("texts([0, 6, 3, 9])", 'column "user": expected valid Arrow data'),
    "large offsets descend": ("texts([0, 6, 3, 9], type=pa.large_string())", 'column "user"'),
    "offsets descend far": ("texts([0, 2_000_000_000, 3, 9])", 'column "user"'),
    "offsets below 0": ("texts([-5, 3, 6, 9])", 'column "user"'),
    "the last offset is below 0": ("texts([0, 3, 6, -9])", 'column "user"'),
    "text that is not UTF-8": ("texts([0, 3, 6, 9], b'ann\\xff\\xfe\\xfdeve')", 'column "user"'),
    "a character cut in two": ("texts([0, 1, 2, 4], 'éxy'.encode())", 'column "user"'),
    "a dictionary that is too short": (
        "pa.DictionaryArray.from_arrays(pa.array([0, 1, 7]), pa.array(['ann', 'bob']), safe=False)",
        'column "user"',
    ),
    "a dictionary index below 0": (
        "pa.DictionaryArray.from_arrays(pa.array([0, -1, 1]), pa.array(['ann', 'bob']), safe=False)",
        'column "user"',
    ),
    "a dictionary of damaged texts": (
        "pa.DictionaryArray.from_arrays(pa.array([0, 1, 1]), texts([0, 6, 3]), safe=False)",
        'column "user"',
    ),
    "a view beyond its buffer": (
        "pa.Array.from_buffers(pa.string_view(), 1, [None, pa.py_buffer(struct.pack('iiii', 40, 0, 0, 99)), "
        "pa.py_buffer(b'short')])",
        'column "user"',
    ),
}


def run(script):
    done = subprocess.run([sys.executable, "-c", PREPARATION + script], capture_output=True, text=True)
    assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)
    assert "panicked" not in done.stderr, (done.stdout, done.stderr)


def test_a_damaged_column_is_a_value_error_that_names_it():
    # One process for all cases, because its imports take seconds. It prints the name of a case before it runs it.
    run(
        "".join(
            f"""
print({case!r}, flush=True)
spoiled.clear()
for data in (table({user}), table({user}).to_batches()[0], table({user}).to_reader()):
    refuses(lambda: bspm.Model.fit(data, "popularity"), {text!r})
refuses(lambda: model.recommend_arrow(table({user}), 2), {text!r})
refuses(lambda: bspm.evaluate(table({user}), [("ann", 1)], 2), {text!r})
"""
            for case, (user, text) in CASES.items()
        )
    )


def test_a_damaged_column_of_lists_is_a_value_error_that_names_it():
    lists = (
        "pa.Array.from_buffers(pa.list_(pa.int64()), 3, [None, pa.py_buffer(struct.pack('4i', 0, 2, 1, 3))],"
        " children=[pa.array([1, 2, 1])])"
    )
    run(f"refuses(lambda: model.recommend_arrow(pa.table({{'history': {lists}}}), 2), 'column \"history\"')")
    beyond = lists.replace("0, 2, 1, 3", "0, 1, 2, 9000")
    run(f"refuses(lambda: model.recommend_arrow(pa.table({{'history': {beyond}}}), 2), 'offsets')")


def test_a_damaged_column_that_is_not_read_does_no_harm():
    run("assert bspm.Model.fit(table(pa.array(['a', 'b', 'c']), other=texts([0, 6, 3, 9]))).shape == (3, 3)")


def test_a_source_without_rows_is_no_model_without_users():
    run(
        """
reader = table(pa.array(["ann", "bob"])).to_reader()
reader.read_all()
refuses(lambda: bspm.Model.fit(reader, "popularity"), "at least one interaction")
empty = table(pa.array(["ann"]))[:0]
refuses(lambda: bspm.Model.fit(empty, "popularity"), "at least one interaction")
refuses(lambda: bspm.Model.fit(empty.to_reader(), "popularity"), "at least one interaction")
"""
    )


def test_an_exception_of_a_source_is_told():
    run(
        """
def batches():
    yield table(pa.array(["ann"])).to_batches()[0]
    raise RuntimeError("the disk is gone")

reader = pa.RecordBatchReader.from_batches(table(pa.array(["ann"])).schema, batches())
refuses(lambda: bspm.Model.fit(reader, "popularity"), "the disk is gone")
"""
    )
