"""What is optional: packages that only some modules need."""

from __future__ import annotations

from types import TracebackType


class Extra:
    """An extra of the package, around the imports that need it.

    `with Extra("grpc"): import grpc` raises a ModuleNotFoundError that says what to install.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        """Nothing is looked for yet."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Raises ModuleNotFoundError in place of one without the advice."""
        if isinstance(error, ModuleNotFoundError) and not isinstance(error, MissingExtraError):
            raise MissingExtraError(error.name, self._name) from None


class MissingExtraError(ModuleNotFoundError):
    """A package that belongs to an extra is not installed."""

    def __init__(self, module: str | None, extra: str) -> None:
        super().__init__(f"No module named {module!r}; install it with pip install 'a2a-totp[{extra}]'", name=module)
