"""Annotations: everyday calls pass a strict check of types."""

import pytest

mypy = pytest.importorskip("mypy.api")

CALLS = """
import numpy as np
import bspm

model = bspm.Model.fit([("ann", "tea")], "popularity")
model.recommend(history=np.array(["tea"]), k=np.int64(3))
model.recommend(history={"tea"})
model.recommend(history={"tea": 2.0})
model.recommend(np.int64(3), 5)
model.score(history=("tea",), items=["tea"])
model.evaluate([("ann", "tea")], [5, 10])
found = model.recommend("ann")
score: float = found[0][1]
shorter: bspm.Recommendations = found[:3]
filter: str = model.leaderboard[0].filter
best: bspm.Model = model.leaderboard.best.fit([("ann", "tea")])
rows: int = len(model.leaderboard[:3].best) + len(model.weightings)
for item, value in found:
    value.is_integer()
"""


def test_everyday_calls_have_types(tmp_path):
    (tmp_path / "calls.py").write_text(CALLS)
    text, errors, status = mypy.run(["--strict", "--cache-dir", str(tmp_path / "cache"), str(tmp_path / "calls.py")])
    assert status == 0, text + errors
    (tmp_path / "wrong.py").write_text(CALLS + 'wrong: str = found[0][1]\n')
    text, _, status = mypy.run(["--strict", "--cache-dir", str(tmp_path / "cache"), str(tmp_path / "wrong.py")])
    assert status == 1 and "Incompatible types in assignment" in text
