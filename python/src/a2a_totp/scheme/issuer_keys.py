"""The keys that an issuer of JWTs publishes."""

from __future__ import annotations

import asyncio
import concurrent.futures
import json
import math
import os
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from a2a_totp.errors import TOTPError
from a2a_totp.origins import is_loopback
from a2a_totp.scheme.delegates import DelegateUnavailableError
from a2a_totp.state.failure import TIMED_OUT, Failure, find_failure

_MOST_BYTES = 1_048_576
"""A usual key set has a few keys and a few kilobytes. These limits keep a broken one from costing much."""
_MOST_KEYS = 1000
_STALE_AFTER = 600.0
"""Seconds after which keys are fetched again: an issuer may withdraw one."""
_NO_KEYS = Failure("ERR_JWKS_INVALID", "it answered with something else than keys: check jwks_url")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """None: keys come from where they were looked for."""


class PublishedKeys:
    """The key set at a URL (RFC 7517 section 5): fetched when needed, in a thread, and kept.

    Raises TOTPError ERR_INSECURE_TRANSPORT for keys over plain http beyond loopback. Times are in seconds.
    """

    def __init__(self, url: str, timeout: float, cooldown: float) -> None:
        parts = urlsplit(url)
        if not parts.hostname or parts.scheme not in ("http", "https"):
            raise TOTPError("ERR_CONFIG_INVALID", "JWTAuth: jwks_url must be an absolute URL")
        if parts.scheme != "https" and not is_loopback(parts.hostname):
            raise TOTPError(
                "ERR_INSECURE_TRANSPORT",
                "jwks_url must be https: an attacker who can change the keys in transit can make tokens",
            )
        self._url, self._timeout, self._cooldown = url, timeout, cooldown
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._fetching: concurrent.futures.Future[Failure | None] | None = None
        self._keys: list[dict[str, Any]] = []
        self._fetched_at = -math.inf

    async def all(self, *, anew: bool = False) -> list[dict[str, Any]]:
        """All keys. `anew` asks for those of now, unless they were fetched a moment ago.

        Raises DelegateUnavailableError where there are none at hand and none can be had in time.
        """
        age = time.monotonic() - self._fetched_at
        if age < (self._cooldown if anew else _STALE_AFTER):
            return self._keys
        fetching = asyncio.wrap_future(self._begin())
        # This one leaves it running, for the others that wait.
        await asyncio.wait({fetching}, timeout=self._timeout)
        failure = fetching.result() if fetching.done() else TIMED_OUT
        # The keys at hand are still valid where only new ones were looked for.
        if failure and not (self._keys and anew):
            raise DelegateUnavailableError(failure)
        return self._keys

    def _begin(self) -> concurrent.futures.Future[Failure | None]:
        """One fetch for all that wait."""
        with self._lock:
            # A thread is not there in a forked process.
            if self._fetching is None or self._fetching.done() or self._process != os.getpid():
                self._process, self._fetching = os.getpid(), concurrent.futures.Future()
                # Whoever gives up waiting does not end it.
                self._fetching.set_running_or_notify_cancel()
                threading.Thread(
                    target=self._fetch_for, args=(self._fetching,), name="a2a_totp_keys", daemon=True
                ).start()
            return self._fetching

    def _fetch_for(self, waiting: concurrent.futures.Future[Failure | None]) -> None:
        try:
            waiting.set_result(self._fetch())
        except BaseException as error:  # noqa: BLE001
            waiting.set_exception(error)

    def _fetch(self) -> Failure | None:
        """Why it failed, if so. Returned, since all that wait may have given up."""
        try:
            self._keys = _public_keys(self._text())
        except DelegateUnavailableError as error:
            return error.failure
        except urllib.error.HTTPError:
            return _NO_KEYS
        except urllib.error.URLError as error:
            return find_failure(error.reason if isinstance(error.reason, BaseException) else error)
        except Exception as error:  # noqa: BLE001
            return find_failure(error)
        self._fetched_at = time.monotonic()
        return None

    def _text(self) -> bytes:
        # Of the environment's proxies none may see plain http, nor make the keys of it.
        direct = [urllib.request.ProxyHandler({})] if self._url.lower().startswith("http:") else []
        opener = urllib.request.build_opener(_NoRedirect, *direct)
        deadline = time.monotonic() + self._timeout
        with opener.open(self._url, timeout=self._timeout) as response:
            text = b""
            while chunk := response.read1(65_536):
                text += chunk
                if len(text) > _MOST_BYTES:
                    raise DelegateUnavailableError(_NO_KEYS)
                if time.monotonic() > deadline:
                    raise DelegateUnavailableError(TIMED_OUT)
            if response.status != 200:
                raise DelegateUnavailableError(_NO_KEYS)
        return text


def _public_keys(text: bytes) -> list[dict[str, Any]]:
    """Without what is no public key: private and shared ones must not be published, so they prove nothing."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    keys = document.get("keys") if isinstance(document, Mapping) else None
    if not isinstance(keys, list) or len(keys) > _MOST_KEYS:
        raise DelegateUnavailableError(_NO_KEYS)
    return [key for key in keys if isinstance(key, dict) and not key.keys() & {"d", "priv", "k"}]
