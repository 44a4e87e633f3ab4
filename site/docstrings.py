"""Docstrings in the syntax of Markdown: the package has roles and literal blocks of reStructuredText."""

import re
from typing import Any

import griffe


class Markdown(griffe.Extension):
    """Replaces the roles and the double colons of each docstring."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.docstring:
            text = re.sub(r":(?:class|func|meth|mod):`~?([^`]+)`", r"`\1`", obj.docstring.value)
            obj.docstring.value = re.sub(r"::$", ":", text, flags=re.M)
