"""The client file: what a peer needs to call its agents, as `a2a-totp config client NAME --format json` prints it."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import (
    Iterable,
    Mapping,
)
from typing import Any

from a2a_totp.client_errors import CredentialsError
from a2a_totp.log import logger
from a2a_totp.names import is_name
from a2a_totp.profile import as_whole

_CLIENT_FILE_KEYS: dict[str, type] = {
    "url": str,
    "token": str,
    "seed": str,
    "algorithm": str,
    "digits": int,
    "period": int,
    "header": str,
    "replay": str,
    "signed": str,
    "window": int,
}


def read_client_file(path: str, agent: str | None) -> dict[str, Any]:
    """What the file says of one agent, by the names of the fields of TotpCredentials.

    Raises CredentialsError for what it must not say, and OSError.
    """
    return _client_fields(_document(path), agent)


def read_client_agents(path: str) -> dict[str, dict[str, Any]]:
    """The same of each agent, by its name. Raises as read_client_file does, also for a file without named agents."""
    file = _document(path)
    names = file.get("agents") if isinstance(file, dict) else None
    if not isinstance(names, dict) or not names:
        # One agent at the top alone, or what is no client file.
        fields = _client_fields(file, None)
        if not fields["agent"]:
            raise CredentialsError("the client file does not name its agent")
        return {fields["agent"]: fields}
    return {name: _client_fields(file, name) for name in names}


def _document(path: str) -> object:
    # Without blocking, since opening a pipe would wait for a writer.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with open(descriptor, encoding="utf-8", errors="strict") as file:
        mode = os.fstat(file.fileno()).st_mode
        if not stat.S_ISREG(mode):
            raise CredentialsError("the client file is not a regular file")
        if mode & stat.S_IROTH:
            logger.warning(
                "the client file holds a token and a seed, and everybody here can read it; run chmod o-r on it"
            )
        try:
            document: object = json.loads(file.read(), object_pairs_hook=_once_each)
            return document
        except CredentialsError:
            raise
        except (ValueError, RecursionError):
            # What the JSON module says may quote the text.
            raise CredentialsError(
                "the client file is not JSON; make it with `a2a-totp config client NAME --format json`"
            ) from None


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise CredentialsError("the client file has a key twice; remove one of them")
    return found


def _client_fields(file: object, agent: str | None) -> dict[str, Any]:
    if not isinstance(file, dict) or isinstance(file.get("version"), bool) or file.get("version") != 1:
        raise CredentialsError("the client file must be an object with version 1; a newer file needs a newer package")
    name, entry = _entry_of(file, agent)
    fields: dict[str, Any] = {}
    for key, kind in _CLIENT_FILE_KEYS.items():
        value = as_whole(entry.get(key))
        if value is None:
            continue
        if not isinstance(value, kind) or isinstance(value, bool):
            raise CredentialsError(
                f"the client file has a {key} that is no {'text' if kind is str else 'whole number'}"
            )
        fields[key] = value
    for key in ("token", "seed"):
        if key not in fields:
            raise CredentialsError(f"the client file has no {key} for this agent")
    return {**fields, "agent": name}


def _entry_of(file: Mapping[str, Any], agent: str | None) -> tuple[str | None, Mapping[str, Any]]:
    """The name of the agent, and what is said of it."""
    agents = file.get("agents")
    known: dict[str, Any] = agents if isinstance(agents, dict) else {}
    if known != (agents or {}) or not all(isinstance(entry, dict) for entry in known.values()):
        raise CredentialsError("the client file must have an object for each of its agents")
    own = file.get("agent") if isinstance(file.get("agent"), str) else None
    if agent is None:
        if len(known) == 1:
            return next(iter(known.items()))
        if "token" in file:
            return own, file
        raise CredentialsError(
            f"the client file has several agents; name one of {_shown_names(known)} with agent="
            if known
            else "the client file has no agents"
        )
    if agent in known:
        return agent, known[agent]
    if agent == own and "token" in file:
        return agent, file
    names = _shown_names(known or [own])
    raise CredentialsError(f"the client file does not have the agent {_shown_names([agent])}; it has {names}")


def _shown_names(names: Iterable[object]) -> str:
    """Names for a message: what is none may be anything, even a secret in the wrong place."""
    return ", ".join(name if isinstance(name, str) and is_name(name) else "(no name)" for name in names)
