"""Calls each agent of a client file with that agent's own credentials."""

from __future__ import annotations

import os
from collections.abc import (
    AsyncGenerator,
    Generator,
)

import httpx

from a2a_totp.client_agents import ClientAgents
from a2a_totp.credentials import TotpCredentials
from a2a_totp.httpx.auth import TOTPAuth
from a2a_totp.httpx_watch import origin_of_httpx
from a2a_totp.sending import Sign


class _AgentOfFile:
    """The credentials of one agent, as the file has them at the moment."""

    def __init__(self, agents: ClientAgents, name: str) -> None:
        self._agents = agents
        self._name = name

    def current(self) -> TotpCredentials:
        """Raises CredentialsError where the agent has left the file."""
        return self._agents.named(self._name)


class TOTPFileAuth(httpx.Auth):
    """For `auth=` of an httpx client, synchronous or not, that calls several agents: as TOTPAuth, with the credentials
    of the agent whose origin a request goes to.

        client = httpx.AsyncClient(auth=TOTPFileAuth("alice.json"))

    A request to an origin that no agent of the file has raises CredentialsError, and nothing is sent. The file is
    followed: an agent that joins can be called within a second, and one that leaves can not be called any more. Later,
    a file that cannot be used is logged, and the one before it stays in force.

    The other parameters are those of TOTPAuth. Raises CredentialsError when the file cannot be used now, also for an
    agent without a URL, and for two agents of one origin, which the origin cannot tell apart.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        insecure_http: bool = False,
        sign: Sign = "auto",
        max_wait: float | None = None,
    ) -> None:
        self._agents = ClientAgents.from_file(path)
        self._insecure_http, self._sign, self._max_wait = insecure_http, sign, max_wait
        self._auths: dict[str, TOTPAuth] = {}

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Called by httpx once a request."""
        yield from self._auth_of(request).sync_auth_flow(request)

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Called by httpx once a request."""
        flow = self._auth_of(request).async_auth_flow(request)
        try:
            outgoing = await anext(flow)
            while True:
                outgoing = await flow.asend((yield outgoing))
        except StopAsyncIteration:
            return
        finally:
            await flow.aclose()

    def close(self) -> None:
        """Stops following the file. What was read stays in force."""
        self._agents.close()

    def _auth_of(self, request: httpx.Request) -> TOTPAuth:
        """That of the agent at the origin. Raises CredentialsError if there is none."""
        name = self._agents.at(origin_of_httpx(request.url))
        # Two threads may both make one, and one of them stays: it has no state but the first warning.
        return self._auths.setdefault(name, self._new(name))

    def _new(self, name: str) -> TOTPAuth:
        return TOTPAuth(
            _AgentOfFile(self._agents, name),
            insecure_http=self._insecure_http,
            sign=self._sign,
            max_wait=self._max_wait,
        )
