"""Docstrings in the syntax of Markdown: the package has roles of reStructuredText."""

import re
from typing import Any

import griffe


class Markdown(griffe.Extension):
    """Replaces the roles of each docstring by code."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.docstring:
            obj.docstring.value = re.sub(r":(?:class|func|meth|mod):`~?([^`]+)`", r"`\1`", obj.docstring.value)
