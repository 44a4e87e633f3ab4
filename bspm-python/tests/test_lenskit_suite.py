"""LensKit's tests of scorers, on generated data instead of MovieLens."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("lenskit.testing")

from lenskit.data import from_interactions_df  # noqa: E402
from lenskit.testing import BasicComponentTests, ScorerTests  # noqa: E402

from bspm.lenskit import BSPMConfig, BSPMScorer  # noqa: E402


@pytest.fixture(scope="session")
def rng():
    return np.random.default_rng(3)


@pytest.fixture(scope="session")
def ml_ratings():
    random = np.random.default_rng(5)
    users = np.repeat(np.arange(1, 301), 40)
    items = (random.geometric(0.01, len(users)) + 17 * (users % 7)) % 900 + 1
    frame = pd.DataFrame({"user_id": users, "item_id": items}).drop_duplicates()
    return frame.assign(rating=4.0, timestamp=np.arange(len(frame)))


@pytest.fixture(scope="session")
def ml_ds(ml_ratings):
    return from_interactions_df(ml_ratings)


@pytest.fixture(scope="session")
def ml_100k():
    pytest.skip("accuracy on MovieLens needs MovieLens")


class TestBSPMScorer(BasicComponentTests, ScorerTests):
    component = BSPMScorer
    configs = [BSPMConfig(filter="item-knn"), BSPMConfig(filter="gf-cf", settings={"factor_dim": 8})]
    can_score = "known"
