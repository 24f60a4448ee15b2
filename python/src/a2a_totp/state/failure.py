"""Why something could not be asked: a state, or a delegate."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

_DEEPEST_CAUSE = 5
_GONE_ADVICE = "is it running, and reachable from here?"
_SLOW_ADVICE = "it did not answer in time: is it overloaded, or the network slow?"
_NAME_ADVICE = "its host name cannot be resolved: check the name, and DNS"
_CERTIFICATE_ADVICE = "its certificate is not accepted: check it, and the trusted issuers"
_RESOURCE_ADVICE = "this process lacks a resource or a permission: check its limits"


@dataclass(frozen=True)
class Failure:
    """Contains no text of the error, only words from a list."""

    cause: str
    """Stable, for alerts: an error code of Redis or the system, such as `NOPERM`, or a word of ours."""
    advice: str
    """What to do, as a sentence."""


TIMED_OUT = Failure("timeout", _SLOW_ADVICE)
UNKNOWN_FAILURE = Failure("unknown", "the reason is not one that is known; its own log says more")
"""Of an error that is on no list."""

_ADVICE_OF_ERRNO = {
    "ECONNREFUSED": _GONE_ADVICE,
    "ECONNRESET": _GONE_ADVICE,
    "ECONNABORTED": _GONE_ADVICE,
    "EHOSTUNREACH": _GONE_ADVICE,
    "EHOSTDOWN": _GONE_ADVICE,
    "ENETUNREACH": _GONE_ADVICE,
    "ENETDOWN": _GONE_ADVICE,
    "EPIPE": _GONE_ADVICE,
    "EADDRNOTAVAIL": _GONE_ADVICE,
    "ENOENT": _GONE_ADVICE,
    "ETIMEDOUT": _SLOW_ADVICE,
    "EMFILE": _RESOURCE_ADVICE,
    "ENFILE": _RESOURCE_ADVICE,
    "ENOBUFS": _RESOURCE_ADVICE,
    "ENOMEM": _RESOURCE_ADVICE,
    "EACCES": _RESOURCE_ADVICE,
    "EPERM": _RESOURCE_ADVICE,
    "EROFS": _RESOURCE_ADVICE,
    "ENOSPC": _RESOURCE_ADVICE,
}
_NAME_ERRORS = {socket.EAI_NONAME: "ENOTFOUND", socket.EAI_AGAIN: "EAI_AGAIN", socket.EAI_FAIL: "EAI_FAIL"}
_CERTIFICATE_ERRORS = {
    9: "CERT_NOT_YET_VALID",
    10: "CERT_HAS_EXPIRED",
    18: "DEPTH_ZERO_SELF_SIGNED_CERT",
    19: "SELF_SIGNED_CERT_IN_CHAIN",
    2: "UNABLE_TO_GET_ISSUER_CERT",
    20: "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
    21: "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    62: "ERR_TLS_CERT_ALTNAME_INVALID",
    64: "ERR_TLS_CERT_ALTNAME_INVALID",
}
"""X509_V_ERR_… of OpenSSL, by the names that Node has for them."""

KnowsFailure: TypeAlias = Callable[[BaseException], "Failure | None"]
"""For errors that only a certain kind of service has."""


def find_failure(error: BaseException, knows: KnowsFailure = lambda _: None) -> Failure:
    """Finds out why something failed, by the kind and the code of an error, and of the errors that caused it.

    It quotes nothing: the text of an error may contain a key, a user's name, or a token.
    """
    return _search_failure(error, knows, 0) or UNKNOWN_FAILURE


def _search_failure(error: BaseException, knows: KnowsFailure, depth: int) -> Failure | None:
    if depth > _DEEPEST_CAUSE:
        return None
    # First what caused it, which is more precise.
    for cause in _causes_of(error):
        found = _search_failure(cause, knows, depth + 1)
        if found:
            return found
    return knows(error) or _failure_of_system(error)


def _causes_of(error: BaseException) -> Iterator[BaseException]:
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        yield cause
    several = getattr(error, "exceptions", ())
    if isinstance(several, tuple):
        yield from (one for one in several[:3] if isinstance(one, BaseException))


def _failure_of_system(error: BaseException) -> Failure | None:
    if isinstance(error, (TimeoutError, asyncio.TimeoutError)) or type(error).__name__ == "TimeoutError":
        return TIMED_OUT
    if isinstance(error, ssl.SSLError):
        code = getattr(error, "verify_code", None)
        return Failure(
            _CERTIFICATE_ERRORS.get(code, "EPROTO") if isinstance(code, int) else "EPROTO", _CERTIFICATE_ADVICE
        )
    if isinstance(error, socket.gaierror):
        return Failure(_NAME_ERRORS.get(error.errno or 0, "ENOTFOUND"), _NAME_ADVICE)
    if isinstance(error, OSError):
        code_name = errno.errorcode.get(error.errno or 0, "")
        if code_name in _ADVICE_OF_ERRNO:
            return Failure(code_name, _ADVICE_OF_ERRNO[code_name])
        # What asyncio raises for several addresses has no errno.
        if isinstance(error, ConnectionError):
            return Failure("ECONNRESET", _GONE_ADVICE)
    return None
