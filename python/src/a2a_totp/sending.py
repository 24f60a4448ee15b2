"""What clients of every kind do for one attempt to send a request."""

from __future__ import annotations

import time
from collections.abc import (
    Generator,
    Iterable,
    Mapping,
)
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

from a2a_totp.client_errors import CannotSignError
from a2a_totp.credentials import TotpCredentials
from a2a_totp.proof.signing import PROOF_FIELDS
from a2a_totp.steps import StepQueue, step_queue

_Made = TypeVar("_Made")
Sign = Literal["auto", "always", "never"]
"""`auto`: wherever it can be done. `always`: what cannot be signed is not sent. `never`: nothing is signed."""


class CredentialSource(Protocol):
    """What has the credentials of each moment: a TotpCredentials, or a TOTPClientAuthScheme."""

    def current(self) -> TotpCredentials:
        """Those of this moment."""
        ...


def source_of(credentials: CredentialSource | None, own: Mapping[str, Any]) -> CredentialSource:
    """The credentials, or those of `own`, the fields of TotpCredentials; where there are neither, the environment's.

    Raises TypeError for both at once, or for what has no credentials; CredentialsError for those that could never pass.
    """
    if credentials is None:
        return TotpCredentials(**own) if own else TotpCredentials.from_env()
    if own:
        raise TypeError("credentials come as one object, or as token, seed and the other fields; pass one of the two")
    if not callable(getattr(credentials, "current", None)):
        raise TypeError("credentials must be a TotpCredentials or a TOTPClientAuthScheme; or pass token=… and seed=…")
    return credentials


class Outgoing(NamedTuple):
    """A request as far as it is signed.

    `target` is the path with its query as it is sent; over gRPC `/package.Service/Method`. `fields` are all that are
    sent but token, code and proof. `content` is None where it is not known as a whole, such as that of a stream.
    """

    method: str
    target: str
    fields: tuple[tuple[str, str], ...]
    content: bytes | None
    binding: Literal["http", "grpc"] = "http"


class Sending(NamedTuple):
    """The fields that one attempt adds, and how it was made."""

    fields: dict[str, str]
    credentials: TotpCredentials
    step: int
    signed: bool
    sent_at: float

    def __repr__(self) -> str:
        # Not the fields, which hold token and code.
        return f"Sending(step={self.step}, signed={self.signed})"


class Turn(NamedTuple):
    """A wait for a time step, which whoever drives the attempt does in its own way: it sends the step back."""

    queue: StepQueue
    max_wait: float | None
    not_before: float

    def wait(self) -> int:
        """In a thread."""
        return self.queue.next(self.max_wait, not_before=self.not_before)

    async def wait_async(self) -> int:
        """In an event loop."""
        return await self.queue.next_async(self.max_wait, not_before=self.not_before)


def must_sign(credentials: TotpCredentials, sign: Sign) -> bool:
    """Whether nothing is sent without a proof: what the agent requires is no choice of `auto`."""
    return sign == "always" or (sign == "auto" and credentials.signed == "require")


def require_code_suffices(credentials: TotpCredentials, sign: Sign, what: str) -> None:
    """Raises CannotSignError for what does not see the request, if each request is to be signed."""
    if must_sign(credentials, sign):
        raise CannotSignError(f"{what} cannot sign, and every request is to be signed; use {_SIGNERS}")


_SIGNERS = "TOTPAuth for JSON-RPC and REST, and totp_channel_factory for gRPC"


def sending_of(
    credentials: TotpCredentials,
    outgoing: Outgoing,
    *,
    sign: Sign = "auto",
    max_wait: float | None = None,
    not_before: float = 0,
) -> Generator[Turn, int, Sending]:
    """Makes the fields of one attempt. Call it again for each attempt, retries too: a proof is accepted once.

    Under `once` it yields the Turn to wait for, unless the request is signed, and the agent knows proofs.

    Raises CannotSignError for a request that has to be signed and cannot be. Waiting may raise StepSpentError.
    """
    signed = _can_be_signed(credentials, outgoing, sign)
    queue = step_queue(credentials.seed_id, credentials.period)
    if credentials.replay != "once":
        step = credentials.time_step()
    elif signed and credentials.shares_steps and not_before <= time.time():
        step = queue.share()
    else:
        step = yield Turn(queue, max_wait, not_before)
    own = credentials.headers_of(step)
    fields = [*outgoing.fields, *own.items()]
    proof = _proof_of(credentials, outgoing, fields) if signed else {}
    return Sending({**own, **proof}, credentials, step, signed, time.time())


def own_fields(credentials: TotpCredentials) -> frozenset[str]:
    """The names of the fields that only an attempt sets, in lower case."""
    return frozenset({"authorization", credentials.header.lower(), *PROOF_FIELDS})


def _can_be_signed(credentials: TotpCredentials, outgoing: Outgoing, sign: Sign) -> bool:
    """Looked at before a time step is taken, which a request that is not sent must not spend."""
    if sign == "never":
        return False
    try:
        if credentials.agent is None:
            raise CannotSignError("the agent's name is not known, which is part of a signature: set $A2A_TOTP_AGENT")
        fields = [*outgoing.fields, *credentials.headers_of(0).items()]
        _proof_of(credentials, outgoing, fields)
    except CannotSignError:
        if must_sign(credentials, sign):
            raise
        return False
    return True


def _proof_of(credentials: TotpCredentials, outgoing: Outgoing, fields: Iterable[tuple[str, str]]) -> dict[str, str]:
    method, target, _, content, binding = outgoing
    if content is None:
        raise CannotSignError("the request cannot be signed: its body is a stream; send one that is known as a whole")
    return credentials.proof(method, target, fields, content, binding=binding)


def driven(work: Generator[Turn, int, _Made]) -> _Made:
    """Runs what waits for time steps, such as an attempt, in a thread."""
    try:
        turn = next(work)
        while True:
            turn = work.send(turn.wait())
    except StopIteration as done:
        made: _Made = done.value
        return made


async def driven_async(work: Generator[Turn, int, _Made]) -> _Made:
    """The same in an event loop."""
    try:
        turn = next(work)
        while True:
            turn = work.send(await turn.wait_async())
    except StopIteration as done:
        made: _Made = done.value
        return made
