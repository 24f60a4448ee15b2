"""The package, under the name of the vendored file for crewAI clients."""

from a2a_totp.crewai import TOTPClientAuthScheme

__all__ = ["TOTPClientAuthScheme"]
