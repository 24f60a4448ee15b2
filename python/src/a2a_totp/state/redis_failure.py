"""Why Redis could not answer."""

from __future__ import annotations

import re

from a2a_totp.errors import TOTPError
from a2a_totp.state.failure import TIMED_OUT, Failure, find_failure
from a2a_totp.state.redis_scripts import DECIDE_TEXT, TAKE_BACK_TEXT


class StateUnavailableError(TOTPError):
    """A state cannot answer (ERR_STATE_UNAVAILABLE), and the request is refused (503). `failure` says why."""

    def __init__(self, what: str, failure: Failure) -> None:
        super().__init__("ERR_STATE_UNAVAILABLE", f"{what} ({failure.cause}): {failure.advice}")
        self._what, self.failure = what, failure

    def __reduce__(self) -> tuple[type[StateUnavailableError], tuple[str, Failure]]:  # type: ignore[override]
        return type(self), (self._what, self.failure)


class UnexpectedReplyError(Exception):
    """The script returned something that it never returns."""


NOT_CONNECTED = Failure(
    "no-connection",
    "the client has no connection to Redis: is it running, reachable and ready, and does it accept the password?",
)
TOO_MANY_WAITING = Failure("overload", "too many decisions are waiting for Redis: is it overloaded, or does it hang?")
_VERSION = Failure("version", "this server cannot run the script; Redis 7 or later, or Valkey, is needed")
_UNEXPECTED_REPLY = Failure(
    "unexpected-reply", "Redis, or a proxy in front of it, returned something that the script never returns"
)
_MAX_CLIENTS = Failure("maxclients", "Redis has too many clients; raise maxclients")

_REPLIES = {
    "BUSY": "another script has been running for too long; end it with SCRIPT KILL",
    "CLUSTERDOWN": "the cluster does not serve the slot of the keys; check it with CLUSTER INFO",
    "CROSSSLOT": "the keys are on several nodes; keep the braces of the prefix, and set no keyPrefix in the client",
    "DENIED": "Redis runs in protected mode; give it a password, or bind it to an address of its own",
    "LOADING": "Redis is loading its data; it answers when it has finished",
    "MASTERDOWN": "this replica has lost its primary; connect to the primary",
    "MISCONF": "Redis cannot save to disk and refuses to write; free the disk, or change its persistence",
    "MOVED": "Redis is a node of a cluster; connect with a cluster client",
    "NOAUTH": "Redis wants a password; set the right one in the client",
    "NOPERM": "Redis refuses the script: its user needs PERMISSIONS, and the keys KEYS",
    "NOREPLICAS": "Redis has fewer replicas than min-replicas-to-write; start them, or lower it",
    "NOSCRIPT": "Redis forgets scripts at once; no proxy that drops EVAL may be in front",
    "OOM": "Redis is full; raise maxmemory, or give the state a Redis of its own (it must not evict)",
    "READONLY": "this Redis is a replica; connect to the primary",
    "TRYAGAIN": "the slot of the keys is being moved to another node; it answers when that has finished",
    "UNKILLABLE": "another script has been running for too long, and has written; wait for its end",
    "WRONGPASS": "Redis does not accept the user name or the password; check both in the client",
    "WRONGTYPE": "something else has written to the keys KEYS; choose another prefix",
}
"""What Redis and Valkey begin an error with, and what to do about it."""

_PLAIN_ERRORS = (
    (r"Error compiling script|unknown command|unknown subcommand|Unexpected engine|not supported", _VERSION),
    # Redis 7.0 checks the commands and keys of a script without a code of its own.
    (r"user executing the script|ACL failure", "NOPERM"),
    (r"max number of clients", _MAX_CLIENTS),
)
"""Errors `ERR …`, which begin alike and mean different things. Their text is matched, never quoted."""

_WORD_OF_CLASS = {
    "BusyLoadingError": "LOADING",
    "ClusterCrossSlotError": "CROSSSLOT",
    "ClusterDownError": "CLUSTERDOWN",
    "MasterDownError": "MASTERDOWN",
    "MovedError": "MOVED",
    "NoPermissionError": "NOPERM",
    "NoScriptError": "NOSCRIPT",
    "OutOfMemoryError": "OOM",
    "ReadOnlyError": "READONLY",
    "SlotNotCoveredError": "CLUSTERDOWN",
    "TryAgainError": "TRYAGAIN",
}
"""redis-py takes the first word off where it has a class for it."""

_PERMISSIONS = " ".join(
    f"+{command.lower()}"
    for command in dict.fromkeys(
        ["EVAL", "EVALSHA", "INFO", "PING", *re.findall(r"redis\.call\('([A-Z]+)'", DECIDE_TEXT + TAKE_BACK_TEXT)]
    )
)
"""What the user of the client has to be allowed, as in an ACL."""


def failure_of(error: BaseException, prefix: str = "PREFIX") -> Failure:
    """Finds out why a state or a delegate failed. It knows the errors of Redis and redis-py.

    `prefix` is that of the keys, for the advice.
    """
    if isinstance(error, StateUnavailableError):
        return error.failure
    if isinstance(error, UnexpectedReplyError):
        return _UNEXPECTED_REPLY
    found = find_failure(error, lambda one: _failure_of_redis(one, prefix))
    # The client could not connect, and the system said how.
    return NOT_CONNECTED if found.advice.startswith("is it running") and _is_of_redis(error) else found


def is_no_script(error: BaseException) -> bool:
    """Whether a server does not know a script."""
    return _word_of(error) == "NOSCRIPT"


def _failure_of_redis(error: BaseException, prefix: str) -> Failure | None:
    word = _word_of(error)
    if word in _REPLIES:
        return _reply_failure(word, prefix)
    if not _is_of_redis(error):
        return None
    text = str(error)
    for pattern, failure in _PLAIN_ERRORS:
        if re.search(pattern, text, re.IGNORECASE):
            return failure if isinstance(failure, Failure) else _reply_failure(failure, prefix)
    name = type(error).__name__
    if name == "AuthenticationError":
        return _reply_failure("WRONGPASS" if "invalid" in text else "NOAUTH", prefix)
    if name == "MaxConnectionsError" or text == "No connection available.":
        return TOO_MANY_WAITING
    if name == "TimeoutError":
        return TIMED_OUT
    if name == "ConnectionError" or text.startswith("Redis Cluster cannot be connected"):
        return NOT_CONNECTED
    return None


def _word_of(error: BaseException) -> str:
    """The first word of an error of Redis, which has to be one of ours: the rest may name keys and users."""
    for of in type(error).__mro__:
        if of.__name__ in _WORD_OF_CLASS and _is_of_redis(error):
            return _WORD_OF_CLASS[of.__name__]
    code = getattr(error, "status_code", None)
    if code in _REPLIES:
        return str(code)
    found = re.match(r"[A-Z]+(?=\s|$)", str(error))
    return found.group() if found and found.group() in _REPLIES else ""


def _is_of_redis(error: BaseException) -> bool:
    return type(error).__module__.partition(".")[0] in ("redis", "valkey")


def _reply_failure(word: str, prefix: str) -> Failure:
    advice = _REPLIES[word].replace("PERMISSIONS", _PERMISSIONS).replace("KEYS", f"~{{{prefix}}}:*")
    return Failure(word, advice)
