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
