"""crewAI's own shape of the client side."""

from __future__ import annotations

import os
from collections.abc import (
    MutableMapping,
)
from typing import Any

import httpx
from crewai.a2a.auth import APIKeyAuth, BearerTokenAuth
from pydantic import ConfigDict, Field, PrivateAttr, SecretStr, model_validator

from a2a_totp.client_variables import profile_variables
from a2a_totp.client_warnings import ClientWarnings
from a2a_totp.credentials import TotpCredentials
from a2a_totp.httpx.auth import TOTPAuth
from a2a_totp.secret_strings import revealed

_CREDENTIAL_FIELDS = ("token", "seed", "algorithm", "digits", "period", "url", "agent", "signed", "window", "replay")


class TOTPClientAuthScheme(BearerTokenAuth, APIKeyAuth):
    """Bearer token AND TOTP code, for `A2AClientConfig(auth=…)`.

        TOTPClientAuthScheme()  # all from the environment, as `a2a-totp config client NAME --format env` prints it
        TOTPClientAuthScheme(delegate=BearerTokenAuth(token="…"), seed="…")

    Token and seed are `$A2A_TOTP_TOKEN` and `$A2A_TOTP_SEED` by default; where the seed is, the other `A2A_TOTP_*`
    apply too. The fields are those of TotpCredentials, but the header is called `name`. Raises ValueError for what
    could never pass.

    Works over JSON-RPC and REST. (crewAI's gRPC transport sends a bearer token only, so do not prefer it.) Token and
    code go where TOTPAuth lets them go. Polls and streams are more than one request in a period: unsigned, each waits
    for a time step under `replay="once"`.
    """

    # Both a BearerTokenAuth and an APIKeyAuth, because crewAI looks only at the first key of a card's requirement and
    # wants the class that goes with it. What pydantic says of a bad seed or token would else quote it.
    model_config = ConfigDict(hide_input_in_errors=True)

    token: str = Field(default="", repr=False)
    seed: SecretStr = Field(default=SecretStr(""))
    algorithm: str = "SHA1"
    digits: int = 6
    period: int = 30
    name: str = "X-TOTP"
    url: str | None = None
    agent: str | None = None
    signed: str = "off"
    window: int | None = None
    replay: str = "reuse"
    insecure_http: bool = False
    api_key: str = Field(default="", repr=False)

    _credentials: TotpCredentials | None = PrivateAttr(default=None)
    # crewAI makes a client for each delegation: what was said once is said.
    _warnings: ClientWarnings = PrivateAttr(default_factory=ClientWarnings)

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, given: Any) -> Any:
        """Takes the token of a delegate, and from the environment what is not given."""
        if not isinstance(given, dict):
            return given
        delegate = given.get("delegate")
        known = {name: value for name, value in given.items() if name != "delegate"}
        if delegate is not None:
            known.setdefault("token", getattr(delegate, "token", None))
            tls = getattr(delegate, "tls", None)
            known.setdefault("tls", tls)
        elif "token" not in known:
            known["token"] = os.environ.get("A2A_TOTP_TOKEN", "").strip()
        known["token"] = revealed(known["token"])
        if known.get("seed") is None:
            variables = profile_variables(os.environ)
            if "header" in variables:
                variables["name"] = variables.pop("header")
            known = {**variables, **known, "seed": os.environ.get("A2A_TOTP_SEED", "")}
        if not known["token"]:
            raise ValueError("no bearer token; pass a delegate, or set $A2A_TOTP_TOKEN")
        if not revealed(known["seed"]):
            raise ValueError("no seed; pass one in base32, or set $A2A_TOTP_SEED")
        return known

    @model_validator(mode="after")
    def _can_be_used(self) -> TOTPClientAuthScheme:
        self.current()
        return self

    def current(self) -> TotpCredentials:
        """What the other seams of this package take. Raises CredentialsError for what could never pass."""
        fields = {"header": self.name, **{name: getattr(self, name) for name in _CREDENTIAL_FIELDS}}
        known = self._credentials
        # Compared, since a copy of a model may have other fields (`model_copy(update=…)`).
        if known is None or any(getattr(known, name) != revealed(value) for name, value in fields.items()):
            known = self._credentials = TotpCredentials(**fields)
        return known

    def code(self, at: float | None = None) -> str:
        """The code (RFC 6238) for an instant in unix seconds, by default now."""
        return self.current().code(at)

    async def apply_auth(
        self, client: httpx.AsyncClient, headers: MutableMapping[str, str]
    ) -> MutableMapping[str, str]:
        """Adds both headers to those of one request, unless `configure_client` was called with the client: that sends
        them anew with each request, and crewAI would send these for as long as a delegation lasts.
        """
        if not isinstance(getattr(client, "auth", None), TOTPAuth):
            headers.update(self.current().headers())
        return headers

    def configure_client(self, client: httpx.AsyncClient) -> None:
        """Called by crewAI with each client that it makes."""
        client.auth = TOTPAuth(self, insecure_http=self.insecure_http, warnings=self._warnings)
