"""``get_params`` and ``set_params`` for the adapters, as in scikit-learn."""

from __future__ import annotations

import inspect
from typing import Any


class Parameters:
    """The parameters of the constructor as a dict.

    Each parameter is an attribute with the same name. If the constructor accepts any keywords, they are items
    of the dict ``settings``. ``sklearn.base.clone`` copies such objects, without their fit.
    """

    settings: dict[str, Any]

    @classmethod
    def _parameter_names(cls) -> tuple[list[str], bool]:
        """Returns the names of the parameters, and whether the constructor accepts other keywords."""
        parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
        names = [it.name for it in parameters if it.kind is not it.VAR_KEYWORD]
        return names, len(names) < len(parameters)

    def _check_settings(self, preset: Any, settings: dict[str, Any]) -> None:
        """Raises ValueError for an unknown setting or an invalid value."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Returns the parameters of the constructor. ``deep`` has no effect."""
        names, has_settings = self._parameter_names()
        found = {name: getattr(self, name) for name in names}
        return {**found, **self.settings} if has_settings else found

    def set_params(self, **params: Any) -> Any:
        """Sets parameters of the constructor, which the next fit uses. Returns the object.

        Raises ValueError for an unknown parameter, and then changes nothing.
        """
        names, has_settings = self._parameter_names()
        others = {name: value for name, value in params.items() if name not in names}
        if has_settings:
            plain = {name.rstrip("_") for name in others}
            kept = self.settings.items()
            settings = {name: value for name, value in kept if name.rstrip("_") not in plain}
            settings.update(others)
            self._check_settings(params.get("preset", getattr(self, "preset", None)), settings)
        elif others:
            raise ValueError(
                f"unknown parameter: {sorted(others)[0]!r}; expected one of: {', '.join(names)}"
            )
        for name, value in params.items():
            if name in names:
                setattr(self, name, value)
        if has_settings:
            self.settings = settings
        return self
