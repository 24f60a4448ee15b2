"""The policies of a peer."""

from __future__ import annotations

from typing import Literal

Replay = Literal["once", "reuse"]
Signed = Literal["off", "observe", "accept", "require"]
"""What an agent does with the proofs of a peer; see the section on proofs."""
SIGNED: tuple[Signed, ...] = ("off", "observe", "accept", "require")
