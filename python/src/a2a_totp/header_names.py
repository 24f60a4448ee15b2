"""Which header field may carry the code."""

from __future__ import annotations

import re

_HEADER_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}")
_FIELDS_WITH_A_MEANING = re.compile(
    r"authorization|cookie2?|host|a2a-.*|x-a2a-extensions|grpc-.*|.*-bin|signature.*|accept-signature|totp.+",
    re.IGNORECASE,
)
"""In A2A, gRPC, HTTP Message Signatures (RFC 9421) or this project."""
_FIELDS_OF_HTTP = re.compile(
    r"accept(-charset|-encoding|-language)?|access-control-.*|connection|content-.*|date|dnt|expect|forwarded|"
    r"http2-settings|if-.*|keep-alive|max-forwards|origin|priority|proxy-.*|range|referer|sec-.*|set-cookie2?|te|"
    r"trailer|transfer-encoding|upgrade|user-agent|via|www-authenticate|x-forwarded-.*|x-http-method.*|"
    r"x-method-override|x-real-ip",
    re.IGNORECASE,
)
"""Clients refuse to set them, and proxies drop or rewrite them (RFC 9110 section 7.6.1), so no code arrives there."""


def is_code_header(text: object) -> bool:
    """Whether a field may carry the code: an RFC 9110 token that means nothing to HTTP, A2A or gRPC."""
    if not isinstance(text, str) or _HEADER_TOKEN.fullmatch(text) is None:
        return False
    return _FIELDS_WITH_A_MEANING.fullmatch(text) is None and _FIELDS_OF_HTTP.fullmatch(text) is None
