"""Where credentials may go."""

from __future__ import annotations

import ipaddress
import threading
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from a2a_totp.client_errors import CredentialsError


class Origin(NamedTuple):
    """Scheme, host and port (RFC 6454), in lower case, IPv6 without brackets."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def origin_of(scheme: str, host: str, port: int | None) -> Origin:
    """The origin of a URL's parts. `port` is None where the URL has none."""
    return Origin(scheme.lower(), host.lower().strip("[]"), port or (443 if scheme.lower() == "https" else 80))


def origin_of_url(url: str) -> Origin:
    """The origin of an agent's URL.

    Raises CredentialsError for what is no http(s) URL, or has a user name in it.
    """
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
        host = (
            (parts.hostname or "").encode("idna").decode() if not (parts.hostname or "").isascii() else parts.hostname
        )
        origin = origin_of(parts.scheme, host or "", parts.port)
    except ValueError:
        raise CredentialsError("the agent's URL must look like https://agent.example") from None
    if origin.scheme not in ("http", "https") or not origin.host or parts.username is not None:
        raise CredentialsError("the agent's URL must look like https://agent.example")
    return origin


def host_and_port(target: str) -> tuple[str, int]:
    """Those of a gRPC target such as `agent.example:50051`, `dns:///agent.example:50051` or an http(s) URL.

    Raises CredentialsError for others, of which nobody knows where they lead.
    """
    text = target.removeprefix("dns:///").removeprefix("dns:") if target.startswith("dns:") else target
    if not text.startswith(("http://", "https://")):
        text = f"https://{text}"
    try:
        origin = origin_of_url(text)
    except CredentialsError:
        raise CredentialsError("token and code are sent only to a gRPC target such as host:port") from None
    return origin.host, origin.port


def is_loopback(host: str) -> bool:
    """Whether a host is this machine for certain: a resolver may answer any name but localhost with any address."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    # Not what is_loopback says of IPv6: it takes ::ffff:127.0.0.1 for loopback, by version of Python.
    return address.is_loopback if address.version == 4 else address == ipaddress.IPv6Address("::1")


class Destination:
    """The one place that credentials go to: that of the agent's URL, or else that of the first request.

    Neither a card nor a redirect can name another.
    """

    def __init__(self, *, insecure_http: bool = False, by_host: bool = False) -> None:
        """`insecure_http`: plain http to any host, on a network that encrypts. `by_host`: on any port, for gRPC."""
        self._insecure_http = insecure_http
        self._by_host = by_host
        self._lock = threading.Lock()
        self._first: Origin | None = None

    def __deepcopy__(self, _memo: object) -> Destination:
        # So that no copy of a client goes to a second place.
        return self

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.Lock())

    def admit(self, origin: Origin, url: str | None) -> None:
        """Raises CredentialsError where credentials must not go. `url` is the agent's, where it is known."""
        self.require_safe(origin)
        if url is not None:
            expected, place = origin_of_url(url), "that of the agent's URL"
        else:
            with self._lock:
                expected = self._first = self._first or origin
            place = "that of the first request; set $A2A_TOTP_URL if it is another"
        if origin != expected and not (self._by_host and origin.host == expected.host):
            raise CredentialsError(f"token and code are not for {origin}, but for {expected}, {place}")

    def require_safe(self, origin: Origin) -> None:
        """Raises CredentialsError for plain http beyond loopback."""
        plain = origin.scheme == "http" and (self._insecure_http or is_loopback(origin.host))
        if origin.scheme != "https" and not plain:
            raise CredentialsError(
                "token and code go over https only; plain http is for loopback, or, with insecure_http=True, for a "
                "network that encrypts all traffic"
            )
