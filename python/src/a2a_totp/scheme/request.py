"""The request that is decided about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from a2a_totp.proof.reading import RequestHead


@dataclass(frozen=True)
class AuthRequest:
    """One request, as it was received.

    `fields` are all header field lines, or the metadata of gRPC, as they came: pairs of texts, or of bytes as in the
    scope of ASGI, or a mapping. `source` is where from. `target` is path and query as received, over gRPC
    `/package.Service/Method`; without it, or without `content`, a request with a proof is refused where proofs matter.
    `content` is the whole body, or None where it is not known.
    """

    fields: Iterable[tuple[str, str]] = field(repr=False)
    source: str = ""
    method: str = ""
    target: str | None = None
    binding: Literal["http", "grpc"] = "http"
    content: bytes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Makes pairs of text of the fields."""
        given = self.fields.items() if isinstance(self.fields, Mapping) else self.fields
        object.__setattr__(self, "fields", tuple((_text_of(name), _text_of(value)) for name, value in given))

    @property
    def head(self) -> RequestHead | None:
        """What a proof is bound to; None where nobody told."""
        return None if self.target is None else RequestHead(self.method, self.target, self.binding)


def _text_of(part: str | bytes) -> str:
    return part.decode("latin-1") if isinstance(part, bytes) else part
