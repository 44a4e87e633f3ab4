import os
import pathlib

import numpy as np
import pytest
import scipy.sparse


@pytest.fixture(scope="session")
def pairs():
    """Users 0-59 in six groups, items 0-39; group g likes items near 6 g."""
    random = np.random.default_rng(7)
    users, items = [], []
    for user in range(60):
        centre = 6 * (user % 6)
        liked = np.unique((centre + random.integers(0, 9, 8)) % 40)
        users += [user] * len(liked)
        items += liked.tolist()
    return np.array(users), np.array(items)


@pytest.fixture(scope="session")
def matrix(pairs):
    users, items = pairs
    ones = np.ones(len(users), np.float32)
    return scipy.sparse.csr_matrix((ones, (users, items)), shape=(60, 40))


@pytest.fixture(scope="session")
def gowalla():
    """The real split; without it the tests that need it are skipped."""
    root = os.environ.get("BSPM_DATA")
    if root is None:
        pytest.skip("BSPM_DATA does not name the folder of the real data")

    def read(name):
        users, items = [], []
        with open(pathlib.Path(root) / "gowalla" / name) as file:
            for line in file:
                user, *found = map(int, line.split())
                users += [user] * len(found)
                items += found
        return np.array(users), np.array(items)

    return read("train.txt"), read("test.txt")
