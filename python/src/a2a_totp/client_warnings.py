"""What a client says about what agents answer. Nothing that it sends depends on it."""

from __future__ import annotations

import re
import threading

from a2a_totp.clocks import clock_difference, duration_text
from a2a_totp.credentials import TotpCredentials
from a2a_totp.log import logger

_RETRY_AFTER = re.compile("[0-9]{1,6}")
_CHALLENGE_PART = re.compile(
    r"([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:[ \t]*=[ \t]*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s,\"]+)))?", re.ASCII
)
"""A token of RFC 9110, and the value of a parameter if it is one."""


class ClientWarnings:
    """Each is logged once. Messages never contain a secret, nor a text of the agent's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._said: set[str] = set()

    def __reduce__(self) -> tuple[type[ClientWarnings], tuple[()]]:
        # A lock cannot be copied; a copy says things once again.
        return ClientWarnings, ()

    def of_refusal(
        self,
        credentials: TotpCredentials,
        *,
        signed: bool,
        sent_at: float,
        received_at: float,
        challenges: str,
        retry_after: str | None,
        date: str | None,
        age: str | None = None,
    ) -> None:
        """What a refusal (401, UNAUTHENTICATED) tells. `signed`: whether the request was sent with a proof.

        It never changes a code: an agent could name any time, and collect the codes of times to come.
        """
        if not signed and demands_proof(challenges):
            self._of_missing_proof(credentials)
        if is_spent(retry_after):
            if signed and credentials.shares_steps:
                self._of_ignored_proof(credentials)
            if credentials.replay != "once":
                self._of_once(signed)
            return  # a spent code was right, so the clocks are
        difference = clock_difference(credentials.profile, sent_at=sent_at, received_at=received_at, date=date, age=age)
        if difference is not None:
            side = "ahead of" if difference > 0 else "behind"
            self._say(
                "clock",
                f"the agent refused a code, and this machine's clock is {duration_text(difference)} {side} the "
                "agent's; set it by NTP",
            )

    def _of_missing_proof(self, credentials: TotpCredentials) -> None:
        remedy = (
            "give the agent's name as agent ($A2A_TOTP_AGENT)"
            if credentials.agent is None
            else "send it through TOTPAuth or the gRPC interceptors, with a body that is no stream"
        )
        self._say(
            "proof-required",
            f"the agent refused a request that was not signed, and says that it requires signed ones; {remedy}",
        )

    def _of_ignored_proof(self, credentials: TotpCredentials) -> None:
        self._say(
            "proof-ignored",
            "the agent refused the code of a signed request as spent, so it does not use proofs, although signed is "
            f"{credentials.signed}; set signed to its policy",
        )

    def _of_once(self, signed: bool) -> None:
        proofs = ", also that of a signed request" if signed else ""
        self._say(
            "replay-once",
            f"the agent accepts each code only once{proofs}; set replay='once', so that each request waits for a code "
            "of its own",
        )

    def _say(self, what: str, message: str) -> None:
        with self._lock:
            if what in self._said:
                return
            self._said.add(what)
        logger.warning(message)


def is_spent(retry_after: str | None) -> bool:
    """Whether a refusal says when to come again: then both factors were right, and the code was used before."""
    return _RETRY_AFTER.fullmatch(retry_after or "") is not None


def demands_proof(challenges: str) -> bool:
    """Whether the challenges of a refusal have one of the scheme TOTP with `proof="required"`."""
    scheme = ""
    # More than a challenge of ours ever has; the text is the agent's.
    for part in _CHALLENGE_PART.finditer(challenges[:4096]):
        name, quoted, bare = part.groups()
        value = bare if quoted is None else quoted
        if value is None:
            scheme = name.lower()
        elif scheme == "totp" and name.lower() == "proof" and value == "required":
            return True
    return False
