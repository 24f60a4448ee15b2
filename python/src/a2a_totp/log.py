"""Where all that is to be known is logged."""

from __future__ import annotations

import logging

logger = logging.getLogger("a2a_totp")
