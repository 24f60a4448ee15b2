"""All agents of a client file, by their names and origins."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from a2a_totp.client_errors import CredentialsError
from a2a_totp.client_file import read_client_agents
from a2a_totp.credentials import TotpCredentials
from a2a_totp.followed_file import FollowedFile
from a2a_totp.log import logger
from a2a_totp.origins import Origin, origin_of_url


class _Agents(NamedTuple):
    by_name: dict[str, TotpCredentials]
    names: dict[Origin, str]


class ClientAgents(FollowedFile[_Agents]):
    """The agents of a client file, which is read once for all of them, and again when it changes."""

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> ClientAgents:
        """Raises CredentialsError when the file cannot be used now."""
        try:
            return cls(path)
        except OSError as error:
            raise CredentialsError(f"cannot read the client file: {error.strerror}") from error

    def __reduce__(self) -> tuple[Any, ...]:
        return ClientAgents.from_file, (self.path,)

    def named(self, name: str) -> TotpCredentials:
        """The credentials of an agent at the moment. Raises CredentialsError where it is not in the file any more."""
        found = self.current().by_name.get(name)
        if found is None:
            raise CredentialsError(f"the client file does not have the agent {name} any more")
        return found

    def at(self, origin: Origin) -> str:
        """The name of the agent there. Raises CredentialsError where there is none."""
        names = self.current().names
        if origin in names:
            return names[origin]
        places = ", ".join(f"{name} at {place}" for place, name in names.items())
        raise CredentialsError(f"no agent of the client file is at {origin}; it has {places}")

    def _read(self) -> _Agents:
        by_name: dict[str, TotpCredentials] = {}
        names: dict[Origin, str] = {}
        for name, fields in read_client_agents(self.path).items():
            credentials = by_name[name] = TotpCredentials(**fields)
            if credentials.url is None:
                raise CredentialsError(f"agents.{name}.url is missing; without it no request is for {name}")
            origin = origin_of_url(credentials.url)
            if origin in names:
                raise CredentialsError(
                    f"the agents {names[origin]} and {name} are both at {origin}; "
                    "make a TOTPAuth for each, with TotpCredentials.from_file and its agent="
                )
            names[origin] = name
        return _Agents(by_name, names)

    def _why(self, error: OSError | ValueError) -> str:
        return (error.strerror or "unreadable") if isinstance(error, OSError) else str(error)

    def _on_loaded(self, before: _Agents, now: _Agents) -> None:
        logger.info("the client file read again")

    def _on_refused(self, error: OSError | ValueError, why: str) -> None:
        logger.error("the client file changed but cannot be used, so the old one stays in force: %s", why)
