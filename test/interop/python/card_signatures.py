"""Verifies a card with a2a-sdk 1.x, and signs one: reads {cards, key} from stdin, prints {verdicts, signed}."""

import json
import sys

from a2a.types import AgentCard
from a2a.utils.signing import (
    SignatureVerificationError,
    create_agent_card_signer,
    create_signature_verifier,
)
from google.protobuf.json_format import MessageToDict, ParseDict
from jwt.api_jwk import PyJWK


def parsed(card: dict) -> AgentCard:
    """The card as the SDK's card resolver reads it."""
    return ParseDict(card, AgentCard(), ignore_unknown_fields=True)


given = json.load(sys.stdin)
key = PyJWK(given["key"])


def verifies(card: dict) -> bool:
    try:
        create_signature_verifier(lambda kid, jku: key, ["ES256"])(parsed(card))
    except SignatureVerificationError:
        return False
    return True


signer = create_agent_card_signer(key, {"kid": "card-1", "alg": "ES256", "typ": "JOSE", "jku": None})
json.dump(
    {
        "verdicts": [verifies(card) for card in given["cards"]],
        "signed": MessageToDict(signer(parsed(given["unsigned"]))),
    },
    sys.stdout,
)
