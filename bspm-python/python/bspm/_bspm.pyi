from typing import Any, Optional, Sequence, TypeVar, Union, final

import numpy as np
import numpy.typing as npt

_Ids = Union[npt.NDArray[np.int64], list[str]]
_Column = Union[_Ids, tuple[_Ids, npt.NDArray[np.int64]]]
_Lists = tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]
_Id = TypeVar("_Id")
_Entries = tuple[
    npt.NDArray[np.int64],
    npt.NDArray[np.int64],
    Optional[npt.NDArray[np.float32]],
    Optional[npt.NDArray[np.float64]],
    Optional[tuple[float, float]],
]
_Contents = tuple[_Entries, _Id, _Id]
_Matrix = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float32]]
_Times = Optional[npt.NDArray[np.float64]]
_Decay = Optional[tuple[float, float]]
_Values = tuple[_Times, _Times, _Times]
_Data = tuple[dict[str, Any], _Ids, _Ids]

__version__: str

def filters() -> dict[str, dict[str, dict[str, Any]]]:
    """Returns all filters. Each has a dict of its settings.

    A setting is a dict with ``description``, ``type`` ("float", "int" or "str"), ``default`` (as published for
    Gowalla, None if its process is off), ``range`` of a number, ``choices`` of a text, and ``search``: the
    scale ("linear" or "log") and the range that ``tune`` tries, or "factors" for a number of singular vectors.
    """

def configuration(
    filter: str, shape: tuple[int, int], preset: Optional[str], settings: Sequence[tuple[str, str]]
) -> str: ...
def unused_settings(filter: str, settings: Sequence[tuple[str, str]]) -> list[str]: ...
def read_files(
    paths: list[str], options: dict[str, Any], of_file: dict[str, Any]
) -> _Contents[list[str]]: ...
def parquet_files(
    paths: list[str], options: dict[str, Any], of_file: dict[str, Any]
) -> Optional[list[str]]: ...
def number_objects(
    objects: npt.NDArray[np.object_],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]: ...
def default_column(names: Sequence[str], kind: str) -> str: ...
def read_columns(
    names: tuple[str, str], users: _Column, items: _Column, values: _Values, options: dict[str, Any]
) -> _Contents[_Ids]: ...
def read_entries(
    shape: tuple[int, int],
    users: npt.NDArray[np.int64],
    items: npt.NDArray[np.int64],
    values: _Values,
    options: dict[str, Any],
) -> _Entries: ...
def parse_time(text: str) -> Optional[float]: ...
def split(
    csr: dict[str, Any], times: _Times, options: dict[str, Any]
) -> tuple[_Entries, _Entries]: ...
def evaluate_lists(
    users: _Ids,
    items: _Ids,
    order: _Times,
    test: _Data,
    train: Optional[_Data],
    k: Sequence[int],
    *,
    detailed: bool = False,
) -> dict[str, Any]: ...

@final
class Batches:
    """Record batches of one schema, with the Arrow PyCapsule interface."""

    def __len__(self) -> int: ...
    def __arrow_c_schema__(self) -> Any: ...
    def __arrow_c_array__(self, requested_schema: Any = None) -> tuple[Any, Any]: ...
    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any: ...

def read_arrow(
    table: Any, options: dict[str, Any], of_file: Optional[dict[str, Any]] = None
) -> _Contents[_Ids]: ...
def read_lists(
    table: Any, ids: tuple[str, str], order: Optional[tuple[str, str]]
) -> tuple[_Ids, _Ids, Optional[tuple[str, npt.NDArray[np.float64]]]]: ...
def choose(
    csr: dict[str, Any],
    times: _Times,
    *,
    tags: Optional[dict[str, Any]] = None,
    threads: int = 0,
    seed: int = 0,
    progress: Any = None,
) -> tuple[str, list[str], Optional[float]]: ...
def choose_weighting(
    csr: dict[str, Any],
    times: _Times,
    *,
    tags: Optional[dict[str, Any]] = None,
    threads: int = 0,
    seed: int = 0,
    progress: Any = None,
) -> tuple[
    tuple[Optional[str], Optional[float]],
    list[tuple[tuple[Optional[str], Optional[float]], float]],
]: ...
def likely_misread(csr: dict[str, Any], times: _Times, users: _Ids, items: _Ids) -> list[str]: ...
def reweighted(
    csr: dict[str, Any],
    times: _Times,
    weight_scale: Optional[str],
    half_life: Optional[float],
) -> _Entries: ...

@final
class Search:
    """A search, which runs one trial at a time. Trials are JSON."""

    def __new__(
        cls,
        csr: dict[str, Any],
        times: _Times,
        options: dict[str, Any],
        *,
        tags: Optional[dict[str, Any]] = None,
        threads: int = 0,
    ) -> Search: ...
    def resume(self, trials: list[str]) -> None: ...
    def advance(self, progress: Any = None) -> Optional[str]: ...
    def leaderboard(self) -> list[str]: ...

@final
class Items:
    """An item table."""

def read_items_file(path: str, options: dict[str, Optional[str]]) -> Items: ...
def read_items_arrow(table: Any, options: dict[str, Optional[str]]) -> Items: ...
def read_items_columns(
    names: Sequence[str], columns: Sequence[Sequence[Any]], options: dict[str, Optional[str]]
) -> Items: ...
@final
class Core:
    @staticmethod
    def fit(
        csr: dict[str, Any],
        times: _Times,
        users: _Ids,
        items: _Ids,
        config: str,
        *,
        weight_scale: Optional[str] = None,
        decay: _Decay = None,
        tags: Optional[dict[str, Any]] = None,
        threads: int = 0,
        seed: int = 0,
        progress: Any = None,
    ) -> Core: ...
    @staticmethod
    def open(path: str, *, threads: int = 0) -> Core: ...
    @staticmethod
    def from_bytes(bytes: bytes, kinds: tuple[bool, bool], *, threads: int = 0) -> Core: ...
    def save(self, path: str) -> None: ...
    def to_bytes(self) -> bytes: ...
    @property
    def trials(self) -> list[str]: ...
    def with_trials(self, trials: list[str]) -> Core: ...
    @property
    def kinds(self) -> tuple[bool, bool]: ...
    @property
    def shape(self) -> tuple[int, int]: ...
    @property
    def weight_scale(self) -> Optional[str]: ...
    @property
    def decay(self) -> _Decay: ...
    @property
    def config(self) -> str: ...
    @property
    def settings(self) -> dict[str, Any]: ...
    @property
    def singular_values(self) -> npt.NDArray[np.float32]: ...
    def users(self) -> _Ids: ...
    def items(self) -> _Ids: ...
    def rows(self, users: _Ids) -> npt.NDArray[np.int64]: ...
    def columns(self, items: _Ids) -> npt.NDArray[np.int64]: ...
    def history(self, user: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]: ...
    def with_items(self, items: Items) -> tuple[Core, tuple[int, int, int]]: ...
    def titles(self, columns: npt.NDArray[Any]) -> Optional[list[Optional[str]]]: ...
    def item_table(
        self,
    ) -> Optional[tuple[_Ids, str, list[tuple[str, list[Any]]]]]: ...
    def neighbours(self, keep: int, *, progress: Any = None) -> Core: ...
    def with_interactions(
        self,
        csr: dict[str, Any],
        times: _Times,
        users: _Ids,
        items: _Ids,
        weight_scale: Optional[str] = None,
        decay: _Decay = None,
    ) -> Core: ...
    def forget(self, users: _Ids, items: _Ids, *, progress: Any = None) -> Core: ...
    def neighbour_rows(
        self,
    ) -> Optional[
        tuple[
            npt.NDArray[np.int64],
            npt.NDArray[np.int64],
            npt.NDArray[np.float32],
            npt.NDArray[np.float32],
            npt.NDArray[np.float32],
        ]
    ]: ...
    def sparse_vectors(self) -> _Matrix: ...
    def sparse_queries(self, csr: dict[str, Any]) -> _Matrix: ...
    def matrix(self) -> _Matrix: ...
    def times(self) -> _Times: ...
    def has_rows(self, users: npt.NDArray[Any], csr: dict[str, Any]) -> bool: ...
    def rank(
        self,
        users: npt.NDArray[Any],
        k: int,
        *,
        keep_seen: bool = False,
        deny: Optional[npt.NDArray[Any]] = None,
        allow: Optional[npt.NDArray[Any]] = None,
        minimum_score: Optional[float] = None,
        condition: Optional[str] = None,
        rules: Optional[dict[str, Any]] = None,
        fallback: Optional[str] = None,
        progress: Any = None,
    ) -> _Lists: ...
    def rank_histories(
        self,
        csr: dict[str, Any],
        k: int,
        *,
        keep_seen: bool = False,
        deny: Optional[npt.NDArray[Any]] = None,
        allow: Optional[npt.NDArray[Any]] = None,
        minimum_score: Optional[float] = None,
        condition: Optional[str] = None,
        rules: Optional[dict[str, Any]] = None,
        fallback: Optional[str] = None,
        progress: Any = None,
    ) -> _Lists: ...
    def recommend_arrow(
        self,
        table: Any,
        k: int,
        *,
        keep_seen: bool = False,
        skip_unknown: bool = False,
        minimum_score: Optional[float] = None,
        condition: Optional[str] = None,
        rules: Optional[dict[str, Any]] = None,
        fallback: Optional[str] = None,
        long: bool = False,
    ) -> Batches: ...
    def similar_users(
        self, user: int, k: int
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]: ...
    def low_pass_vectors(
        self,
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]: ...
    def score_histories(self, csr: dict[str, Any]) -> npt.NDArray[np.float32]: ...
    def contributions(
        self, csr: dict[str, Any], item: int
    ) -> tuple[npt.NDArray[np.float32], float]: ...
    def evaluate(
        self,
        csr: dict[str, Any],
        users: _Ids,
        items: _Ids,
        k: Sequence[int],
        *,
        skip_unknown: bool = False,
        detailed: bool = False,
        progress: Any = None,
    ) -> dict[str, Any]: ...
