"""Reads an agent's card with crewAI, and checks a client's scheme against it, as a delegation does."""

import json
import sys

from crewai.a2a.auth.client_schemes import BearerTokenAuth
from crewai.a2a.auth.utils import validate_auth_against_agent_card
from crewai.a2a.utils.agent_card import fetch_agent_card

url = sys.argv[1]
card = fetch_agent_card(url, auth=None, use_cache=False)
validate_auth_against_agent_card(card, BearerTokenAuth(token="not-a-real-one"))  # noqa: S106
print(json.dumps(card.model_dump(mode="json", by_alias=True, exclude_none=True)))
