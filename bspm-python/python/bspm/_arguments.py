"""The types and ranges of arguments, in one table."""

from __future__ import annotations

import datetime
from numbers import Integral, Real
from typing import Any, Callable, NamedTuple, Union

import numpy as np


Column = Union[str, int]
"""The name of a column. Tables of pandas may have numbers as names."""

HalfLife = Union[float, str, datetime.timedelta]
"""A half-life: a number in the unit of the times, a text such as "90d", or a timedelta."""


class Kind(NamedTuple):
    """What an argument accepts: an expectation for messages, types, a check of the value, and whether None is one."""

    expected: str
    types: tuple[type, ...]
    is_valid: Callable[[Any], bool] = lambda _: True
    is_optional: bool = True


COLUMN = Kind("the name of a column", (str, Integral), lambda name: name != "")
TEXT = Kind("a text", (str,))
CHARACTER = Kind("one character", (str,), lambda text: len(text) == 1)
NUMBER = Kind("a number", (Real,))
WHOLE = Kind("a whole number, 0 or above", (Integral,), lambda number: 0 <= number < 2**63)
LIST = Kind("a list of texts", (list,))
FLAG = Kind("True or False", (bool, np.bool_), is_optional=False)
DICT = Kind("a dict", (dict,))

KINDS = {
    **dict.fromkeys(("user", "item", "weight", "time", "rating", "rank", "score"), COLUMN),
    **dict.fromkeys(("item_id", "title", "tag", "tag_item"), COLUMN),
    **dict.fromkeys(("weight_scale", "duplicates", "filter", "preset", "metric"), TEXT),
    **dict.fromkeys(("format", "quoting", "encoding", "time_format", "time_unit"), TEXT),
    **dict.fromkeys(("where", "fallback", "diversity_method"), TEXT),
    **dict.fromkeys(("delimiter", "comment"), CHARACTER),
    **dict.fromkeys(("columns", "null_values"), LIST),
    **dict.fromkeys(("rating_threshold", "tag_weight", "ratio", "minimum_score"), NUMBER),
    **dict.fromkeys(("popularity_penalty", "diversity"), NUMBER._replace(is_optional=False)),
    "seed": WHOLE,
    "trials": WHOLE._replace(is_optional=False),
    **dict.fromkeys(("decimal_comma", "trim_ids", "skip_invalid", "random", "last_out"), FLAG),
    **dict.fromkeys(("keep_seen", "skip_unknown", "detailed", "long"), FLAG),
    **dict.fromkeys(("settings", "boost", "at_most"), DICT),
    "half_life": Kind("a number or a text such as '90d'", (Real, str, datetime.timedelta)),
    "minutes": Kind("a number, 0 or above", (Real,), lambda minutes: minutes >= 0, is_optional=False),
    "config": Kind("a configuration as a dict or as JSON", (dict, str)),
    "progress": Kind("True, tqdm or a callback", (bool, Callable)),  # type: ignore[arg-type]
    "callback": Kind("a function", (Callable,)),  # type: ignore[arg-type]
}
"""The kind of each argument."""


def check(**arguments: Any) -> None:
    """Raises TypeError for an argument of another type, and ValueError for a value out of range."""
    for name, value in arguments.items():
        kind = KINDS[name]
        is_flag = isinstance(value, (bool, np.bool_))
        is_of_type = isinstance(value, kind.types) and (not is_flag or bool in kind.types)
        if (value is None and kind.is_optional) or (is_of_type and kind.is_valid(value)):
            continue
        error = ValueError if is_of_type else TypeError
        raise error(f"{name}: expected {kind.expected}, found {value!r}")
