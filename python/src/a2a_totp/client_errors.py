"""What keeps a client from sending a request."""

from __future__ import annotations


class CredentialsError(ValueError):
    """Token, seed or profile cannot be used, or must not be sent there. The message never quotes a secret."""


class CannotSignError(CredentialsError):
    """A request that has to be signed cannot be."""


class StepSpentError(CredentialsError):
    """Under policy `once` there is no free time step soon. `retry_after` is when there is one, in whole seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(
            "under replay policy once each request needs a time step of its own, and the next free one begins in "
            f"{retry_after} s (Retry-After: {retry_after}); send fewer requests at a time, or raise max_wait"
        )
        self.retry_after = retry_after

    def __reduce__(self) -> tuple[type[StepSpentError], tuple[int]]:
        return StepSpentError, (self.retry_after,)
