"""What a gRPC client does for one call, whichever kind of channel it uses."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import (
    Generator,
    Iterable,
)
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from a2a_totp.client_errors import CredentialsError
from a2a_totp.client_warnings import ClientWarnings
from a2a_totp.credentials import TotpCredentials
from a2a_totp.origins import Destination, host_and_port, is_loopback, origin_of
from a2a_totp.sending import CredentialSource, Outgoing, Sending, Sign, Turn, driven, own_fields, sending_of

Metadata = tuple[tuple[str, Any], ...]


class CallPlan(NamedTuple):
    """What to send with a call: metadata, and call credentials, which gRPC sends over TLS only."""

    metadata: Metadata
    credentials: Any
    attempt: list[Sending]
    """The last one, once it is made."""


class CallSigner:
    """Makes metadata and call credentials for the calls to one target."""

    def __init__(
        self,
        source: CredentialSource,
        target: str,
        *,
        destination: Destination | None = None,
        insecure_http: bool = False,
        sign: Sign = "auto",
        max_wait: float | None = None,
        past_proxies: bool = False,
    ) -> None:
        """`past_proxies`: the channel was told to ignore those of the environment.

        Raises CredentialsError for a target that the credentials must not go to.
        """
        self._source = source
        self._host, self._port = host_and_port(target)
        # Beyond loopback, only call credentials are used, and gRPC refuses to send them without TLS.
        self._needs_tls = not (is_loopback(self._host) or insecure_http)
        self._destination = destination or Destination(insecure_http=insecure_http, by_host=True)
        self._sign: Sign = sign
        self._max_wait = max_wait
        self._past_proxies = past_proxies
        self._warnings = ClientWarnings()
        self._admit(source.current())

    def plan(
        self, method: str, metadata: Iterable[tuple[str, Any]], message: Any, existing: Any
    ) -> Generator[Turn, int, CallPlan]:
        """Plans one call. `message` is what is sent, None for a stream of messages; `existing` are call credentials.

        Raises as `sending_of` does, and CredentialsError where credentials must not go.
        """
        credentials = self._source.current()
        self._admit(credentials)
        own = own_fields(credentials)
        kept = tuple((name, value) for name, value in metadata if name.lower() not in own)
        fields = tuple((name, value) for name, value in kept if isinstance(value, str))
        outgoing = Outgoing("POST", method, fields, _message_bytes(message), "grpc")
        attempt = yield from sending_of(credentials, outgoing, sign=self._sign, max_wait=self._max_wait)
        if not self._needs_tls:
            return CallPlan((*kept, *_metadata_of(attempt)), existing, [attempt])
        made = [attempt]
        return CallPlan(kept, self._call_credentials(outgoing, made, existing), made)

    def notice(self, plan: CallPlan, trailers: Iterable[tuple[str, Any]] | None) -> None:
        """Logs what the trailers of an UNAUTHENTICATED call tell."""
        texts: dict[str, list[str]] = {}
        for name, value in trailers or ():
            if isinstance(value, str):
                texts.setdefault(name, []).append(value)
        attempt = plan.attempt[-1]
        self._warnings.of_refusal(
            attempt.credentials,
            signed=attempt.signed,
            sent_at=attempt.sent_at,
            received_at=time.time(),
            challenges=", ".join(texts.get("www-authenticate", ())),
            retry_after=next(iter(texts.get("retry-after", ())), None),
            date=next(iter(texts.get("date", ())), None),
        )

    def _admit(self, credentials: TotpCredentials) -> None:
        origin = origin_of("https" if self._needs_tls else "http", self._host, self._port)
        self._destination.admit(origin, credentials.url)
        if self._needs_tls:
            return
        if not self._past_proxies:
            _require_no_proxy(self._host)
        if self._host == "localhost":
            _require_local_name()

    def _call_credentials(self, outgoing: Outgoing, made: list[Sending], existing: Any) -> Any:
        # Here, since a client without gRPC need not have it.
        import grpc

        def fresh(context: Any, callback: Any) -> None:
            """Called by gRPC once there is a connection, in a thread of its own."""
            try:
                if (urlsplit(context.service_url).hostname or "") != self._host:
                    raise CredentialsError("token and code are not for the authority that this channel names")
                attempt = made[-1]
                # Under `once` the step was waited for, and is this call's.
                if attempt.credentials.replay != "once" and attempt.step != attempt.credentials.time_step():
                    attempt = driven(sending_of(attempt.credentials, outgoing, sign=self._sign))
                    made.append(attempt)
                callback(_metadata_of(attempt), None)
            except Exception as error:  # noqa: BLE001
                callback((), error)

        own = grpc.metadata_call_credentials(fresh, name="a2a-totp")  # type: ignore[arg-type]
        return own if existing is None else grpc.composite_call_credentials(existing, own)


def _metadata_of(attempt: Sending) -> Metadata:
    return tuple((name.lower(), value) for name, value in attempt.fields.items())


def _message_bytes(message: Any) -> bytes | None:
    """The serialised message: what the stub makes of the same object. None if it is not known."""
    if isinstance(message, bytes):
        return message
    serialise = getattr(message, "SerializeToString", None)
    found = serialise() if callable(serialise) else None
    return found if isinstance(found, bytes) else None


def _require_no_proxy(host: str) -> None:
    """gRPC reads these variables in lower case only."""
    proxy = next(filter(None, map(os.environ.get, ("grpc_proxy", "https_proxy", "http_proxy"))), None)
    exempt = next(filter(None, map(os.environ.get, ("no_grpc_proxy", "no_proxy"))), "").split(",")
    if proxy is not None and host not in (one.strip() for one in exempt):
        raise CredentialsError(
            "token and code are not sent over plaintext through a proxy, which gRPC uses here (grpc_proxy, "
            "https_proxy, http_proxy): use totp_channel_factory, or add the host to no_grpc_proxy"
        )


def _require_local_name() -> None:
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo("localhost", None, type=socket.SOCK_STREAM)}
    except OSError:
        found = set()
    if not found or not found <= {"127.0.0.1", "::1"}:
        raise CredentialsError(
            "token and code are not sent to localhost over plaintext: its name may be resolved to another machine; use "
            "127.0.0.1 or [::1]"
        )
