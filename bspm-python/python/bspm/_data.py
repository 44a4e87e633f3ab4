"""Interactions from any input, as compressed sparse rows with ids."""

from __future__ import annotations

import datetime
import decimal
import operator
import os
import uuid
from dataclasses import dataclass, replace
from typing import Any, Iterable, Mapping, Optional, Sequence, Union

import numpy as np
import numpy.typing as npt
import scipy.sparse

from . import _bspm
from ._arguments import Column, HalfLife, check
from ._warnings import warn

Ids = Union["npt.NDArray[np.int64]", "list[str]"]
Csr = dict[str, Any]

READ_OPTIONS = (
    "user",
    "item",
    "weight",
    "time",
    "rating",
    "rating_threshold",
    "weight_scale",
    "half_life",
    "duplicates",
)
"""The options for reading interactions."""


def read_options(**given: Any) -> dict[str, Any]:
    """Returns all options for reading, with None for those that are not given. Checks their types."""
    for name in given:
        if name not in READ_OPTIONS:
            raise TypeError(f"{name}: expected one of {', '.join(READ_OPTIONS)}")
    check(**given)
    return {name: given.get(name) for name in READ_OPTIONS}


def native(options: dict[str, Any]) -> dict[str, Any]:
    """Returns options for reading as the native module takes them: names of columns and half-lives as text."""
    found = dict(options)
    for name in ("user", "item", "weight", "time", "rating"):
        found[name] = None if found[name] is None else str(found[name])
    if isinstance(found["half_life"], datetime.timedelta):
        found["half_life"] = f"{found['half_life'].total_seconds()}s"
    return found


def _csr_of_entries(entries: Sequence[Any], columns: int) -> tuple[Csr, Optional[npt.NDArray[np.float64]]]:
    """Returns the matrix and the times of row ends, columns, weights, times and decay of the native module."""
    indptr, indices, weights, times, _ = entries
    return {"indptr": indptr, "indices": indices, "data": weights, "columns": columns}, times


def listed(ids: Iterable[Any], what: str) -> list[Any]:
    """Returns the ids as a list. Raises TypeError for a single text, whose letters would become ids."""
    if isinstance(ids, (str, bytes)):
        raise TypeError(
            f"{what}: expected a list of ids, found the text {ids!r}; put it in a list: [{ids!r}]"
        )
    if not hasattr(ids, "__iter__"):
        raise TypeError(f"{what}: expected a list of ids, found {ids!r}; put it in a list: [{ids!r}]")
    return list(ids)


def names_in(names: Iterable[str], what: str) -> list[str]:
    """Returns a list of names. Raises TypeError for a single text, and for names that are not texts."""
    found = names.split(",") if isinstance(names, str) else list(names) if hasattr(names, "__iter__") else []
    if isinstance(names, str) or not hasattr(names, "__iter__"):
        hint = f"; hint: {what}={found!r}" if found else ""
        raise TypeError(f"{what}: expected a list of names, found {names!r}{hint}")
    for name in found:
        if not isinstance(name, str):
            raise TypeError(f"{what}: expected a list of names, found {name!r} in it")
    return found


def ids_of(values: Any, what: str) -> Ids:
    """Returns ids for the native module: an int64 array, or a list of str.

    Raises TypeError for ids of other types, and ValueError for missing ids.
    """
    if isinstance(values, np.ndarray) and values.dtype == np.int64 and values.ndim == 1:
        return np.ascontiguousarray(values)
    if isinstance(values, (str, bytes)):
        listed(values, what)
    if isinstance(values, (list, tuple)):
        # One at a time, because NumPy would convert numbers among texts to text.
        are_floats = all(isinstance(value, (float, np.floating)) for value in values)
        values = np.array(values, dtype=np.float64 if are_floats else object)
    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"{what}: expected one dimension, found {array.ndim}")
    if array.size == 0:
        return []
    if array.dtype.kind in "iu":
        if array.dtype == np.uint64 and array.max() > np.iinfo(np.int64).max:
            raise ValueError(f"{what}: expected ids below 2^63, found {array.max()}")
        return np.ascontiguousarray(array, dtype=np.int64)
    if array.dtype.kind == "U":
        return [str(value) for value in array]
    if array.dtype.kind == "S":
        array = array.astype(object)
    if array.dtype.kind == "O":
        found: list[Any] = array.tolist()
        if any(issubclass(kind, _OTHER_TYPES) for kind in set(map(type, found))):
            found = [_plain_id(value, f"{what}, row {row}") for row, value in enumerate(found)]
        # The set of the types is fast.
        if all(issubclass(kind, str) for kind in set(map(type, found))):
            return found
        if all(isinstance(value, (int, np.integer)) and not isinstance(value, bool) for value in found):
            outside = [value for value in found if not -(2**63) <= value < 2**63]
            if outside:
                raise ValueError(f"{what}: expected ids from -2^63 to below 2^63, found {outside[0]}")
            return np.array(found, dtype=np.int64)
        for row, value in enumerate(found):
            if is_missing(value):
                text = f"{what}, row {row}: expected an id in every row, found {value!r}"
                raise ValueError(f"{text}; hint: leave the row out, as dropna() of a table does")
        kinds = sorted({type(value).__name__ for value in found})
        raise TypeError(f"{what}: expected ids that are all str or all int, found {', '.join(kinds)}")
    if array.dtype.kind == "f":
        if np.isnan(array).any():
            row = int(np.argmax(np.isnan(array)))
            text = f"{what}, row {row}: expected an id in every row, found {array[row]}"
            raise ValueError(f"{text}; hint: leave the row out, as dropna() of a table does")
        # From here on, different whole numbers have the same value in this type.
        power = np.finfo(array.dtype).nmant + 1
        is_wrong = (array != np.floor(array)) | (np.abs(array) >= 2.0**power)
        if not is_wrong.any():
            return array.astype(np.int64)
        row = int(np.argmax(is_wrong))
        raise TypeError(
            f"{what}: expected ids that are str or int, found {array.dtype} ({array[row]} in row {row}); "
            f"hint: read them as int64 or str; {array.dtype} represents only whole numbers below 2^{power} exactly"
        )
    raise TypeError(f"{what}: expected ids that are str or int, found {array.dtype}")


_OTHER_TYPES = (bytes, uuid.UUID, decimal.Decimal)


def _plain_id(value: Any, what: str) -> Any:
    """Returns bytes and UUIDs as text, and a whole decimal as int, as in Arrow tables. Others are unchanged."""
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise ValueError(f"{what}: expected bytes that are UTF-8, found {value!r}") from None
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, decimal.Decimal) and value.is_finite() and value == int(value):
        return int(value)
    return value


def id_column(values: Any, what: str) -> Union[Ids, tuple[Ids, npt.NDArray[np.int64]]]:
    """Returns ids, or ids and the index of the id of each row.

    Columns of Arrow and of Python objects have the same id in many rows. Each is then converted once.
    """
    found = None
    if not hasattr(values, "__len__") and hasattr(values, "__iter__"):
        values = list(values)
    if is_arrow_text(values):
        encoded = values.array.__arrow_array__().dictionary_encode().combine_chunks()
        if encoded.null_count == 0:
            codes = encoded.indices.to_numpy().astype(np.int64)
            found = encoded.dictionary.to_numpy(zero_copy_only=False), codes
    elif not isinstance(values, (list, tuple, str, bytes)):
        array = np.asarray(values)
        if array.dtype.kind == "O" and array.ndim == 1:
            first_rows, codes = _bspm.number_objects(array)
            found = array[first_rows], codes
    if found is not None:
        try:
            return ids_of(found[0], what), found[1]
        except (TypeError, ValueError):
            pass  # The error of the whole column has the row.
    return ids_of(values, what)


def is_arrow_text(values: Any) -> bool:
    """Returns whether a column of pandas has its texts in an array of Arrow."""
    dtype = getattr(values, "dtype", None)
    is_text = str(getattr(dtype, "pyarrow_dtype", None)) in ("string", "large_string")
    return is_text or getattr(dtype, "storage", None) == "pyarrow"


def numbers_of(ids: list[str]) -> Ids:
    """Returns the ids as int64 if each is the usual text of a whole number."""
    try:
        numbers = np.array([int(text) for text in ids], dtype=np.int64)
    except (ValueError, OverflowError):
        return ids
    return numbers if all(str(int(text)) == text for text in ids) else ids


def whole(value: Any, what: str, low: int = 0) -> int:
    """Returns a whole number below 2^63. Raises TypeError for other types, and ValueError outside the range."""
    if isinstance(value, (bool, np.bool_)) or not hasattr(value, "__index__"):
        raise TypeError(f"{what}: expected a whole number, found {value!r}")
    number = operator.index(value)
    if not low <= number < 2**63:
        raise ValueError(f"{what}: expected a whole number, at least {low} and below 2^63, found {number}")
    return number


def cutoffs_of(k: Any) -> list[int]:
    """Returns one or several cut-offs as a list."""
    if np.ndim(k) == 0:
        return [whole(k, "k", 1)]
    return [whole(it, "k", 1) for it in k]


def is_missing(value: Any) -> bool:
    """Returns whether a value is None, NaN, NaT or pandas' NA."""
    if value is None:
        return True
    try:
        return bool(value != value)
    except TypeError:  # NA of pandas is not a bool.
        return True


def numbers_in(values: Any, what: str) -> npt.NDArray[np.float64]:
    """Returns a column of numbers as float64. Raises ValueError with the row of a missing number."""
    array = np.asarray(values)
    if array.dtype.kind == "O":
        for row, value in enumerate(array.ravel()):
            if is_missing(value):
                raise ValueError(f"{what}, row {row}: expected a number, found {value!r}")
            if isinstance(value, (bool, np.bool_)):
                raise TypeError(f"{what}, row {row}: expected a number, found {value!r}")
        try:
            array = array.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise TypeError(f"{what}: expected numbers ({error})") from error
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{what}: expected numbers, found {array.dtype}")
    return np.ascontiguousarray(array, dtype=np.float64)


def weights_of(values: Any, count: int, what: str) -> Optional[npt.NDArray[np.float32]]:
    """Returns the values of a matrix as float32, or None if all are 1.

    Raises ValueError for a number that is not finite.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{what}: expected numbers, found {array.dtype}")
    if array.shape != (count,):
        raise ValueError(f"{what}: expected {count} values, found shape {array.shape}")
    with np.errstate(over="ignore"):
        weights = np.ascontiguousarray(array, dtype=np.float32)
    if not np.isfinite(weights).all():
        raise ValueError(f"{what}: expected finite numbers, found {weights[~np.isfinite(weights)][0]}")
    return None if (weights == 1).all() else weights


def csr_of(matrix: Any, columns: Optional[int] = None) -> Csr:
    """Returns the arrays of a SciPy CSR matrix, which the native module borrows."""
    count = matrix.shape[1] if columns is None else columns
    indptr, indices = matrix.indptr, matrix.indices
    if indptr.dtype not in (np.int32, np.int64):
        indptr = indptr.astype(np.int64)
    if indices.dtype not in (np.int32, np.int64):
        indices = indices.astype(np.int64)
    return {
        "indptr": indptr,
        "indices": indices,
        "data": weights_of(matrix.data, len(matrix.data), "data"),
        "columns": int(count),
    }


def _is_same(left: Any, right: Any) -> bool:
    if left is None or right is None:
        return left is right
    return bool(np.array_equal(np.asarray(left), np.asarray(right)))


@dataclass(frozen=True, eq=False, repr=False)
class Interactions:
    """A matrix users x items, with its ids. Two of them are equal if ids, entries, weights and times are.

    :meth:`from_frame`, :meth:`from_pairs`, :meth:`from_matrix` and :meth:`from_file` create it.
    ``Model.fit`` also takes the same inputs directly.
    """

    users: Ids
    """The id of each row."""
    items: Ids
    """The id of each column."""
    csr: Csr
    times: Optional[npt.NDArray[np.float64]] = None
    """The time of each entry, or None if there are no times."""
    weight_scale: Optional[str] = None
    """How the weights were scaled, or None if no option said it."""
    half_life: Optional[float] = None
    """The half-life of the weights in the unit of the times, or None if they do not decay."""
    reference_time: Optional[float] = None
    """The time at which a weight has not decayed: that of the latest interaction. None without a half-life."""
    item_column: Optional[Column] = None
    """The name of the item column, or None if no option set it. Item tables and tags have the same default."""
    has_text_ids: bool = False
    """Whether the ids were read from text. If other data have texts as ids, whole numbers become texts again."""

    @property
    def _has_weighting(self) -> bool:
        """Whether an option set how the interactions are weighted."""
        return not (self.weight_scale is None and self.half_life is None)

    @property
    def shape(self) -> tuple[int, int]:
        """The number of users and the number of items."""
        return len(self.users), len(self.items)

    def __len__(self) -> int:
        return len(self.csr["indices"])

    def __repr__(self) -> str:
        users, items = self.shape
        weights = "" if self.csr["data"] is None else ", with weights"
        times = "" if self.times is None else ", with times"
        return f"<bspm.Interactions: {len(self)} of {users} users x {items} items{weights}{times}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Interactions):
            return NotImplemented
        mine, theirs = self.csr, other.csr
        arrays = [
            (self.users, other.users),
            (self.items, other.items),
            (mine["indptr"], theirs["indptr"]),
            (mine["indices"], theirs["indices"]),
            (mine["data"], theirs["data"]),
            (self.times, other.times),
        ]
        return all(_is_same(left, right) for left, right in arrays)

    __hash__ = None  # type: ignore[assignment]

    def to_scipy(self) -> scipy.sparse.csr_matrix:
        """Returns the matrix users x items. An interaction without a weight is 1."""
        data = self.csr["data"]
        if data is None:
            data = np.ones(len(self), dtype=np.float32)
        return scipy.sparse.csr_matrix((data, self.csr["indices"], self.csr["indptr"]), self.shape, copy=True)

    def to_pandas(self) -> Any:
        """Returns a ``pandas.DataFrame`` with a row for each interaction.

        The columns are "user" and "item", and "weight" and "time" if the interactions have them.
        """
        import pandas

        rows = np.repeat(np.arange(len(self.users)), np.diff(self.csr["indptr"]))
        columns = {"user": np.asarray(self.users)[rows], "item": np.asarray(self.items)[self.csr["indices"]]}
        if self.csr["data"] is not None:
            columns["weight"] = self.csr["data"].copy()
        if self.times is not None:
            columns["time"] = self.times.copy()
        return pandas.DataFrame(columns)

    @classmethod
    def from_pairs(
        cls,
        users: Any,
        items: Any,
        weights: Any = None,
        times: Any = None,
        ratings: Any = None,
        *,
        rating_threshold: Optional[float] = None,
        weight_scale: Optional[str] = None,
        half_life: Optional[HalfLife] = None,
        duplicates: Optional[str] = None,
    ) -> "Interactions":
        """Creates interactions from a user and an item for each, in any order.

        Ids are all ``str`` or all ``int``. By default, a repeated pair counts once. With weights (0 or
        above), its weights are added. ``duplicates`` changes this. The options are those of
        ``Model.fit``.
        """
        options = read_options(
            rating_threshold=rating_threshold,
            weight_scale=weight_scale,
            half_life=half_life,
            duplicates=duplicates,
        )
        names = {"user": "users", "item": "items", "weight": "weight", "time": "time", "rating": "rating"}
        return cls._from_columns(users, items, weights, times, ratings, options, names)

    @classmethod
    def _from_columns(
        cls,
        users: Any,
        items: Any,
        weights: Any,
        times: Any,
        ratings: Any,
        options: dict[str, Any],
        names: Mapping[str, Optional[Column]],
    ) -> "Interactions":
        """Creates interactions from columns with these names."""
        options = native(options)
        of_ids = (str(names["user"]), str(names["item"]))
        ids = (id_column(users, of_ids[0]), id_column(items, of_ids[1]))
        numbers = [
            None if values is None else numbers_in(values, str(names[keyword]))
            for keyword, values in (("weight", weights), ("rating", ratings))
        ]
        stamps = None if times is None else seconds_of(times, str(names["time"]))
        values = (numbers[0], stamps, numbers[1])
        return cls._of_table(_bspm.read_columns(of_ids, *ids, values, options), options)

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        user: Optional[Column] = None,
        item: Optional[Column] = None,
        weight: Optional[Column] = None,
        time: Optional[Column] = None,
        rating: Optional[Column] = None,
        *,
        rating_threshold: Optional[float] = None,
        weight_scale: Optional[str] = None,
        half_life: Optional[HalfLife] = None,
        duplicates: Optional[str] = None,
    ) -> "Interactions":
        """Creates interactions from a table: pandas, polars, PyArrow, DuckDB, or a dict of arrays.

        Any object with the Arrow PyCapsule interface is a table, and is read without a copy in Python.
        The columns of the ids are "user" and "item", or "user_id" and "item_id", or have another usual name
        such as "userId" and "movieId", by default. The
        options are those of ``Model.fit``. A repeated pair keeps its latest time.

        Raises KeyError for a missing column.
        """
        options = read_options(
            user=user,
            item=item,
            weight=weight,
            time=time,
            rating=rating,
            rating_threshold=rating_threshold,
            weight_scale=weight_scale,
            half_life=half_life,
            duplicates=duplicates,
        )
        frame = collected(frame)
        if is_arrow(frame):
            read = native(options)
            return cls._of_table(_bspm.read_arrow(frame, read), read)

        names = {keyword: options[keyword] for keyword in ("user", "item", "weight", "time", "rating")}
        for keyword in ("user", "item"):
            if names[keyword] is None:
                names[keyword] = usual_column(frame, keyword)
        columns = [
            None if name is None else column_of(frame, name, keyword) for keyword, name in names.items()
        ]
        users, items, weights, times, ratings = columns
        return cls._from_columns(users, items, weights, times, ratings, options, names)

    @classmethod
    def _of_arrays(
        cls, entries: Sequence[Any], users: Ids, items: Ids, options: dict[str, Any]
    ) -> "Interactions":
        """Creates interactions from row ends, columns, weights, times and decay of the native module.

        ``options`` are those for reading, as :func:`native` returns them.
        """
        csr, times = _csr_of_entries(entries, len(items))
        half_life, reference_time = entries[4] or (None, None)
        return cls(users, items, csr, times, options["weight_scale"], half_life, reference_time, options["item"])

    @classmethod
    def _of_table(cls, contents: Any, options: dict[str, Any]) -> "Interactions":
        """Creates interactions from a table that was read. Warns about data that are likely misread."""
        entries, users, items = contents
        found = cls._of_arrays(entries, users, items, options)
        for text in _bspm.likely_misread(found.csr, found.times, found.users, found.items):
            warn(text)
        return found

    def _with_entries(self, entries: Sequence[Any]) -> "Interactions":
        """Returns the given entries with the ids and the weighting of these interactions. The decay of the entries
        is not used.
        """
        csr, times = _csr_of_entries(entries, len(self.items))
        return replace(self, csr=csr, times=times)

    def _of_kinds(self, are_numbers: tuple[bool, bool]) -> "Interactions":
        """Returns the interactions with ids of the types of other data, if the ids were read from text.

        ``are_numbers`` says whether the ids of users and of items of the other data are whole numbers.
        """
        if not self.has_text_ids:
            return self
        ids = (self.users, self.items)
        users, items = (it if is_number else list(map(str, it)) for it, is_number in zip(ids, are_numbers))
        return replace(self, users=users, items=items)

    def _reweighted(self, weight_scale: Optional[str], half_life: Optional[float]) -> "Interactions":
        """Returns the interactions with scaled weights that decay with time."""
        found = replace(self, weight_scale=weight_scale or "linear")
        if found.weight_scale == "linear" and half_life is None:
            return found
        entries = _bspm.reweighted(self.csr, self.times, weight_scale, half_life)
        half_life, reference_time = entries[4] or (None, None)
        return replace(found._with_entries(entries), half_life=half_life, reference_time=reference_time)

    @property
    def _decay(self) -> Optional[tuple[float, float]]:
        """The half-life and the reference time, if the weights decay."""
        if self.half_life is None or self.reference_time is None:
            return None
        return self.half_life, self.reference_time

    @classmethod
    def from_matrix(
        cls,
        matrix: Any,
        users: Any = None,
        items: Any = None,
        *,
        rating_threshold: Optional[float] = None,
        weight_scale: Optional[str] = None,
        duplicates: Optional[str] = None,
    ) -> "Interactions":
        """Creates interactions from a SciPy sparse matrix, users x items. Its values are weights.

        The default ids are the row and column numbers. The matrix is copied without zeros, and duplicate entries are
        added in double precision. With ``rating_threshold``, the values are ratings: values of at least the threshold
        are interactions, and each counts 1, unless ``weight_scale`` makes it a weight.

        Raises ValueError for a matrix without entries other than 0, for negative values, and for ids that are not
        distinct.
        """
        options = read_options(
            rating_threshold=rating_threshold, weight_scale=weight_scale, duplicates=duplicates
        )
        rows, columns, values = entries_of(matrix)
        given = {"users": (users, matrix.shape[0]), "items": (items, matrix.shape[1])}
        row_ids, column_ids = (_ids_of_matrix(ids, what, count) for what, (ids, count) in given.items())
        if len(values) == 0:
            raise ValueError("data: expected at least one interaction, found none")
        are_ratings = rating_threshold is not None
        # As in an npz file, ratings are weights only if there is a scale.
        are_weights = weight_scale is not None or not are_ratings
        options = native(options)
        entries = _bspm.read_entries(
            matrix.shape,
            rows,
            columns,
            (values if are_weights else None, None, values if are_ratings else None),
            options,
        )
        return cls._of_arrays(entries, row_ids, column_ids, options)

    @classmethod
    def from_file(
        cls,
        path: Union[str, os.PathLike[str], Sequence[Union[str, os.PathLike[str]]]],
        *,
        user: Optional[Column] = None,
        item: Optional[Column] = None,
        weight: Optional[Column] = None,
        time: Optional[Column] = None,
        rating: Optional[Column] = None,
        rating_threshold: Optional[float] = None,
        weight_scale: Optional[str] = None,
        half_life: Optional[HalfLife] = None,
        duplicates: Optional[str] = None,
        format: Optional[str] = None,
        columns: Optional[Sequence[str]] = None,
        delimiter: Optional[str] = None,
        quoting: Optional[str] = None,
        comment: Optional[str] = None,
        encoding: Optional[str] = None,
        decimal_comma: bool = False,
        time_format: Optional[str] = None,
        time_unit: Optional[str] = None,
        null_values: Optional[Sequence[str]] = None,
        trim_ids: bool = False,
        skip_invalid: bool = False,
    ) -> "Interactions":
        """Creates interactions from a file, as the tool does.

        ``path`` is a file, a folder of part files, a glob pattern, or a list of these. The formats are
        CSV, TSV, JSON lines, RecBole, MovieLens, LightGCN's text, SciPy's npz, and Parquet if PyArrow or polars is
        installed. If all ids of a text file are whole numbers, they become int, except for a model whose ids are
        texts. The values of an npz file are used only with ``weight_scale`` (as weights) or
        ``rating_threshold`` (as ratings).

        The first options are those of ``Model.fit``. The others are:

        - ``format``: "csv", "tsv", "jsonl", "recbole", "movielens", "lightgcn", "npz" or "parquet".
          Default: from the file name.
        - ``columns``: the column names of a table without a header.
        - ``delimiter``: the field delimiter of a CSV file. Default: ",".
        - ``quoting``: "checked" (default), "trusted" (quoted fields may contain lines that look like rows),
          "backslash" (``\\"`` is a quote in a field) or "off" (quotes are ordinary characters).
        - ``comment``: the character that starts a comment line.
        - ``encoding``: the text encoding, such as "latin1". Default: UTF-8, or from the byte order mark.
        - ``decimal_comma``: whether numbers have a decimal comma, as in 1,5.
        - ``time_format``: the format of the times in strftime syntax. ``time_unit``: the unit of numeric
          times since 1970: "s", "ms", "us", "ns", "min", "h" or "d"; or "excel" (serial numbers of dates in
          spreadsheets), "ticks" (of .NET) or "filetime" (of Windows).
        - ``null_values``: the texts that mean a missing id. Default: those of the tool (null, NaN, ...).
        - ``trim_ids``: whether spaces at the start and at the end of ids are removed, as in ``ann, tea``.
        - ``skip_invalid``: skip invalid rows, and warn with their number. By default they are errors.

        Raises FileNotFoundError. Raises ValueError with the file, the line and the expected value.
        """
        options = read_options(
            user=user,
            item=item,
            weight=weight,
            time=time,
            rating=rating,
            rating_threshold=rating_threshold,
            weight_scale=weight_scale,
            half_life=half_life,
            duplicates=duplicates,
        )
        of_file = {
            "format": format,
            "columns": None if columns is None else names_in(columns, "columns"),
            "delimiter": delimiter,
            "quoting": quoting,
            "comment": comment,
            "encoding": encoding,
            "decimal_comma": decimal_comma,
            "time_format": time_format,
            "time_unit": time_unit,
            "null_values": None if null_values is None else names_in(null_values, "null_values"),
            "trim_ids": trim_ids,
            "skip_invalid": skip_invalid,
        }
        check(**of_file)
        paths = [os.fspath(it) for it in ([path] if isinstance(path, (str, os.PathLike)) else path)]
        if any(it.endswith(".bspm") for it in paths):
            raise ValueError(f"path: expected interactions, found {paths!r}; hint: bspm.Model.open opens a model file")
        read = native(options)
        files = _bspm.parquet_files(paths, read, of_file)
        table = None if files is None else _parquet_table(files)
        if table is not None:
            return cls._of_arrays(*_bspm.read_arrow(table, read, of_file), read)
        entries, users, items = _bspm.read_files(paths, read, of_file)
        found = cls._of_arrays(entries, numbers_of(users), numbers_of(items), read)
        return replace(found, has_text_ids=True)

    @classmethod
    def of(cls, data: Any, **options: Any) -> "Interactions":
        """Creates interactions from Interactions, a file, a SciPy matrix, a table, or pairs of ids (an iterable, or an
        array with two or three columns).

        Raises ValueError for an option that has no effect on this form of data.
        """
        options = {name: value for name, value in read_options(**options).items() if value is not None}
        data = collected(data)

        def only(kind: str, *allowed: str) -> None:
            for name, value in options.items():
                if name not in allowed:
                    those = f"only {', '.join(allowed)}" if allowed else "no option of reading"
                    raise ValueError(
                        f"{name}: expected {those} beside {kind}, found {value!r}; "
                        f"a table has columns that options name"
                    )

        if isinstance(data, cls):
            only("Interactions, which have been read")
            return data
        if isinstance(data, (str, os.PathLike)):
            return cls.from_file(data, **options)
        if scipy.sparse.issparse(data):
            only("a matrix", "rating_threshold", "weight_scale", "duplicates")
            return cls.from_matrix(data, **options)
        is_table = isinstance(data, dict) and not any(isinstance(name, tuple) for name in data)
        if is_table or hasattr(data, "columns") or is_arrow(data):
            return cls.from_frame(data, **options)
        users, items, third = _pairs_of(data)
        only("pairs", "rating_threshold", "weight_scale", "duplicates")
        are_ratings = third is not None and "rating_threshold" in options
        return cls.from_pairs(
            users,
            items,
            weights=None if are_ratings else third,
            ratings=third if are_ratings else None,
            **options,
        )


def _pairs_of(data: Any) -> tuple[Any, Any, Any]:
    """Returns the users, the items, and the third values if there are any, of pairs or triples."""
    if isinstance(data, np.ndarray):
        if data.ndim != 2 or data.shape[1] not in (2, 3):
            raise ValueError(f"data: expected an array with 2 or 3 columns, found the shape {data.shape}")
        return data[:, 0], data[:, 1], data[:, 2] if data.shape[1] == 3 else None
    found, hint = type(data).__name__, ""
    if isinstance(data, dict):
        hint = "; hint: [(user, item, weight) for (user, item), weight in data.items()]"
    elif hasattr(data, "read"):
        hint = "; hint: pass the path of the file"
    elif hasattr(data, "__iter__"):
        pairs: Sequence[Any] = data if isinstance(data, (list, tuple)) else list(data)
        other = next((it for it in pairs if not isinstance(it, (tuple, list)) or len(it) not in (2, 3)), None)
        sizes = {len(pair) for pair in pairs} if other is None else set()
        if len(sizes) > 1:
            raise ValueError("data: expected pairs, or triples with a weight, not both")
        if other is None:
            users, items = ([pair[place] for pair in pairs] for place in range(2))
            return users, items, [pair[2] for pair in pairs] if sizes == {3} else None
        found = f"{other!r} in it"
        hint = "; hint: pandas.DataFrame(data) is a table" if isinstance(other, dict) else ""
    raise TypeError(f"data: expected a table, a file, a sparse matrix, or pairs of user and item, found {found}{hint}")


def _parquet_table(files: list[str]) -> Any:
    """Returns Parquet files as one table of PyArrow or polars, or None if neither is installed."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        try:
            import polars
        except ImportError:
            return None
        return polars.read_parquet(files, hive_partitioning=True)
    return pyarrow.concat_tables([pyarrow.parquet.read_table(file) for file in files], promote_options="default")


def column_of(frame: Any, name: Column, keyword: str) -> Any:
    """Returns a column of a pandas table or of a dict. ``keyword`` is the argument that names it.

    Raises KeyError; the message lists the existing columns. Raises ValueError if several columns have the name.
    """
    names = getattr(frame, "columns", frame)
    try:
        column = frame[name]
    except KeyError as error:
        there = ", ".join(repr(it) for it in names)
        text = f"no column {name!r}; there are {there}; {keyword}= names another"
        if name in getattr(getattr(frame, "index", None), "names", ()):
            text += "; hint: frame.reset_index() makes the index a column"
        raise KeyError(text) from error
    if getattr(column, "ndim", 1) == 2 and hasattr(frame, "columns"):
        raise ValueError(f"{keyword}: expected one column {name!r}, found {column.shape[1]}")
    return column


def usual_column(frame: Any, kind: str) -> str:
    """Returns the default column of the ids: the kind of id, with "_id", or a usual name such as "userId"."""
    columns: Any = getattr(frame, "column_names", None)
    if columns is None:
        columns = getattr(frame, "columns", frame if isinstance(frame, dict) else ())
    names = [str(it) for it in columns]
    return _bspm.default_column(names, kind)


def collected(table: Any) -> Any:
    """Returns the data of a lazy table of polars, and other objects unchanged."""
    is_lazy = type(table).__name__ == "LazyFrame" and type(table).__module__.partition(".")[0] == "polars"
    return table.collect() if is_lazy else table


def is_arrow(table: Any) -> bool:
    """Returns whether a table is read with the Arrow PyCapsule interface.

    pandas tables have this interface too, but it needs PyArrow.
    """
    is_pandas = type(table).__module__.partition(".")[0] == "pandas"
    return hasattr(table, "__arrow_c_stream__") and not is_pandas


def entries_of(matrix: Any) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[np.float64]]:
    """Returns the rows, columns and values of the entries of a SciPy matrix, with repeated entries."""
    if not scipy.sparse.issparse(matrix):
        raise TypeError(f"matrix: expected a sparse matrix of SciPy, found {type(matrix).__name__}")
    if len(matrix.shape) != 2:
        raise ValueError(f"matrix: expected two dimensions, users x items, found the shape {matrix.shape}")
    if matrix.format == "csr":
        ends = matrix.indptr
        if ends[0] != 0 or (np.diff(ends) < 0).any() or ends[-1] != len(matrix.indices):
            raise ValueError(f"indptr: expected ascending row ends from 0 to {len(matrix.indices)}")
        rows, columns = np.repeat(np.arange(len(ends) - 1), np.diff(ends)), matrix.indices
    else:
        matrix = matrix.tocoo()
        rows, columns = matrix.row, matrix.col
    weights_of(matrix.data, len(rows), "data")
    rows, columns = (np.ascontiguousarray(places, dtype=np.int64) for places in (rows, columns))
    return rows, columns, np.ascontiguousarray(matrix.data, dtype=np.float64)


def _ids_of_matrix(ids: Any, what: str, count: int) -> Ids:
    """Returns the ids of the rows or columns of a matrix. They must be distinct. Default: their numbers."""
    if ids is None:
        return np.arange(count, dtype=np.int64)
    found = ids_of(ids, what)
    if len(found) != count:
        raise ValueError(f"{what}: expected {count} ids, found {len(found)}")
    distinct = len(np.unique(found) if isinstance(found, np.ndarray) else set(found))
    if distinct != count:
        raise ValueError(f"{what}: expected distinct ids, found {distinct} among {count}")
    return found.copy()


_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_PER_SECOND = {"ms": 10**3, "us": 10**6, "ns": 10**9}


def seconds_of(values: Any, what: str = "times") -> npt.NDArray[np.float64]:
    """Returns times as numbers: dates as seconds since 1970 UTC, numbers unchanged.

    Dates without a time zone are UTC. Raises ValueError with the row of a missing time.
    """
    zone = getattr(getattr(values, "dtype", None), "tz", None)
    if zone is not None:
        # A pandas Series has these methods in `dt`, an index has them directly.
        dates = getattr(values, "dt", values)
        values = dates.tz_convert("UTC")
        values = getattr(values, "dt", values).tz_localize(None)
    array = np.asarray(values)
    if array.dtype.kind == "O":
        return np.array([_seconds(value, what, row) for row, value in enumerate(array)], np.float64)
    if array.dtype.kind == "M":
        if np.isnat(array).any():
            row = int(np.argmax(np.isnat(array)))
            raise ValueError(f"{what}, row {row}: expected a time, found NaT")
        unit, count = np.datetime_data(array.dtype)
        if unit not in _PER_SECOND or count != 1:
            coarse = unit in ("Y", "M", "W", "D", "h", "m", "s")
            unit = "s" if coarse and count == 1 else "ns"
            array = array.astype(f"datetime64[{unit}]")
        ticks, per_second = array.astype(np.int64), _PER_SECOND.get(unit, 1)
        # Rounded as in the core, in the same way before and after 1970.
        size = np.abs(ticks)
        seconds: npt.NDArray[np.float64] = size // per_second + (size % per_second) / per_second
        return np.copysign(seconds, ticks)
    if array.dtype.kind == "U":
        return np.array([_seconds(str(text), what, row) for row, text in enumerate(array)], np.float64)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{what}: expected numbers or dates, found {array.dtype}")
    return np.ascontiguousarray(array, dtype=np.float64)


def _seconds(value: Any, what: str, row: int) -> float:
    if is_missing(value):
        raise ValueError(f"{what}, row {row}: expected a time, found {value!r}")
    if isinstance(value, str):
        parsed = _bspm.parse_time(value)
        if parsed is None:
            expected = "a number, or a date as '2026-01-31' or '2026-01-31T12:30:00Z'"
            raise ValueError(f"{what}, row {row}: expected {expected}, found {value!r}")
        return parsed
    if isinstance(value, datetime.datetime):
        if value.tzinfo is None:
            value = value.replace(tzinfo=datetime.timezone.utc)
        passed = abs(value - _EPOCH)
        seconds = float(passed.days * 86_400 + passed.seconds + passed.microseconds / 10**6)
        return seconds if value >= _EPOCH else -seconds
    if isinstance(value, datetime.date):
        return float((value - _EPOCH.date()).days * 86_400)
    if isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool):
        return float(value)
    raise TypeError(f"{what}, row {row}: expected a number or a date, found {value!r}")


def time_of(value: Any, what: str) -> float:
    """Returns a time from a number, a date, or a text in the format of files."""
    try:
        return float(seconds_of([value], what)[0])
    except ValueError:
        expected = "a number, or a date as '2026-01-31' or '2026-01-31T12:30:00Z'"
        raise ValueError(f"{what}: expected {expected}, found {value!r}") from None
