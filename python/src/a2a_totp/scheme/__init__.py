"""Checks both factors of a request."""

from a2a_totp.scheme.examined import Examined
from a2a_totp.scheme.key import CALLER_KEY, GuardMissingError
from a2a_totp.scheme.outcome import Caller, Refusal
from a2a_totp.scheme.request import AuthRequest
from a2a_totp.scheme.scheme import TOTPServerAuthScheme

__all__ = ["CALLER_KEY", "AuthRequest", "Caller", "Examined", "GuardMissingError", "Refusal", "TOTPServerAuthScheme"]
