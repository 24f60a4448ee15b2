"""The second factor on the client's side, around a scheme for the first one."""

from __future__ import annotations

import os
import threading
from collections.abc import (
    Callable,
    MutableMapping,
)
from typing import Any, Protocol

from a2a_totp.client_errors import CredentialsError
from a2a_totp.client_variables import profile_variables
from a2a_totp.credentials import TotpCredentials
from a2a_totp.secret_strings import revealed


class SecretText(Protocol):
    """A pydantic SecretStr, for instance."""

    def get_secret_value(self) -> str:
        """The text."""
        ...


class TokenDelegate(Protocol):
    """A scheme for the first factor: a BearerTokenAuth, that of crewAI too, or your own."""

    @property
    def token(self) -> str | SecretText:
        """The token of this moment."""
        ...


class BearerTokenAuth:
    """The bearer token of RFC 6750. For tokens that rotate give a function, which is called for each request."""

    def __init__(self, token: str | SecretText | Callable[[], str | SecretText] | None = None) -> None:
        """`token` is `$A2A_TOTP_TOKEN` by default. Raises CredentialsError (a ValueError) if there is none."""
        given = os.environ.get("A2A_TOTP_TOKEN", "").strip() if token is None else token
        if not given:
            raise CredentialsError("no bearer token; pass one, or set $A2A_TOTP_TOKEN")
        self._given = given

    @property
    def token(self) -> str:
        """The token of this moment. Secret."""
        given = self._given
        text: str = revealed(given() if callable(given) else given)
        return text

    def __repr__(self) -> str:
        return "BearerTokenAuth(token=[secret])"


class TOTPClientAuthScheme:
    """Adds a fresh code to the token of its delegate. TOTPAuth, TOTPInterceptor and the gRPC seams take one as they
    take TotpCredentials:

        scheme = TOTPClientAuthScheme(delegate=BearerTokenAuth(token="…"), seed="…")
        client = httpx.AsyncClient(auth=TOTPAuth(scheme))
    """

    def __init__(
        self,
        delegate: TokenDelegate | None = None,
        seed: str | SecretText | None = None,
        **profile: Any,
    ) -> None:
        """`seed` is in base32, by default `$A2A_TOTP_SEED`; then the other `A2A_TOTP_*` apply too. (Beside a seed that
        is given they may be about another agent.) `profile` are other fields of TotpCredentials, which take precedence.
        `delegate` is `BearerTokenAuth()` by default.

        Raises CredentialsError, a ValueError, if there is no seed, or for what could never pass.
        """
        self._delegate = BearerTokenAuth() if delegate is None else delegate
        given = revealed(seed)
        if given is None:
            given = os.environ.get("A2A_TOTP_SEED")
            profile = {**profile_variables(os.environ), **profile}
        if not given:
            raise CredentialsError("no seed; pass one in base32, or set $A2A_TOTP_SEED")
        self._lock = threading.Lock()
        self._credentials = TotpCredentials(self._token(), given, **profile)
        self._profile = profile

    def current(self) -> TotpCredentials:
        """The credentials of this moment, with the token that the delegate has now.

        Raises CredentialsError if the delegate's token cannot be used, and what the delegate raises.
        """
        token = self._token()
        with self._lock:
            if token != self._credentials.token:
                self._credentials = TotpCredentials(token, self._credentials.seed, **self._profile)
            return self._credentials

    def headers(self, at: float | None = None) -> dict[str, str]:
        """Both headers of one request, for an instant in unix seconds, by default now. Make them for each attempt."""
        return self.current().headers(at)

    async def apply_auth(self, client: Any, headers: MutableMapping[str, str]) -> MutableMapping[str, str]:
        """Adds both headers to those of one request, as crewAI's schemes do. They expire within seconds."""
        headers.update(self.headers())
        return headers

    def _token(self) -> str:
        try:
            token: str = revealed(self._delegate.token)
        except AttributeError as error:
            raise CredentialsError("delegate has no token; pass a BearerTokenAuth, or an object with one") from error
        return token

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.Lock())

    def __repr__(self) -> str:
        return f"TOTPClientAuthScheme({self._credentials!r})"
