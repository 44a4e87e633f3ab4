import numpy as np
import pandas as pd

random = np.random.default_rng(0)
shelves = ["tea", "coffee", "bread", "cake", "jam", "seeds", "books", "games"]
numbers = ["", *(f"-{number}" for number in range(2, 26))]
items = [shelf + number for shelf in shelves for number in numbers]
start = pd.Timestamp("2026-01-01")
# Each user prefers one shelf. The first items of a shelf are more popular.
rows = []
for user in ["ann", "bob", *(f"u{number}" for number in range(3, 501))]:
    liked = np.repeat(np.arange(8) == random.integers(8), 25)
    odds = np.where(liked, 20.0, 1.0) / np.tile(np.arange(3, 28), 8)
    odds /= odds.sum()
    for item in random.choice(items, size=12, replace=False, p=odds):
        rows.append((user, item, start + pd.Timedelta(hours=random.integers(4000))))
frame = pd.DataFrame(rows, columns=["user", "item", "at"])
