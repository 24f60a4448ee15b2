"""Loads what a package of ours offers once it is used."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from a2a_totp.extras import Extra


def load_from_place(places: Mapping[str, str], name: str, extra: str) -> Any:
    """A name, from the module that has it.

    Raises AttributeError for any other name, ModuleNotFoundError without the extra.
    """
    if name not in places:
        raise AttributeError(name)
    with Extra(extra):
        return getattr(importlib.import_module(places[name]), name)
