"""Search spaces of filters for Optuna."""

from __future__ import annotations

from typing import Any, Optional

from ._bspm import filters, unused_settings

MOST_FACTORS = 512


def suggest(
    trial: Any, filter: str, *, shape: Optional[tuple[int, int]] = None, prefix: str = ""
) -> dict[str, Any]:
    """Returns settings of a filter that an Optuna trial suggests, for the argument ``settings`` of ``Model.fit``.

    The ranges are those that :func:`bspm.tune` searches; see ``bspm.filters()``. ``shape`` is the shape of the
    interactions, users x items. It limits the number of singular vectors. Words are suggested first, and settings
    without effect beside them are left out. The names of the parameters start with ``prefix``. An objective fits ``Model.fit(train, filter, settings=settings)`` and returns a metric of
    held-out interactions, such as ``model.evaluate(validation)["ndcg"]``.

    Raises KeyError for an unknown filter.
    """
    if filter not in filters():
        raise KeyError(f"filter: expected one of {', '.join(filters())}, found {filter!r}")
    all_settings = filters()[filter]
    settings: dict[str, Any] = {
        name: trial.suggest_categorical(prefix + name, setting["choices"])
        for name, setting in all_settings.items()
        if "choices" in setting
    }
    unused = unused_settings(filter, list(settings.items()))
    for name in unused:
        settings.pop(name, None)
    for name, setting in all_settings.items():
        if "search" not in setting or name in unused:
            continue
        parameter = prefix + name
        scale, *limits = setting["search"]
        if scale == "factors":
            most = MOST_FACTORS if shape is None else max(2, min(MOST_FACTORS, min(shape) // 2))
            settings[name] = trial.suggest_int(parameter, min(8, most), most, log=True)
        elif setting["type"] == "int":
            low, high = int(limits[0]), int(limits[1])
            settings[name] = trial.suggest_int(parameter, low, high, log=scale == "log")
        else:
            settings[name] = trial.suggest_float(parameter, *limits, log=scale == "log")
    return settings
