"""Alice's requests, plain and signed, to the agent of the wire vectors; the signer is the tests' own."""

import base64
import hmac
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from agents import Agent
from vectors import read_vectors

from a2a_totp.codes import code_of_step
from a2a_totp.profile import Profile
from a2a_totp.proof import RequestHead, content_digest, proof_key
from a2a_totp.proof.reading import ALWAYS_COVERED, OPTIONAL_COMPONENTS, base_of_components, component_value
from a2a_totp.scheme import AuthRequest, Refusal

FILE = read_vectors("wire")["files"]["own"]
AT = 1_780_332_007.0
TOKEN = "a2at_vector-token-of-alice"  # noqa: S105
SEED = b"\x01" * 20
HEAD = RequestHead("POST", "/a2a?x=%2F")
BODY = b'{"jsonrpc":"2.0"}'

Fields = list[tuple[str, str]]
Message = dict[str, Any]
App = Callable[[Any, Any, Any], Awaitable[None]]


def server_file(signed: str = "accept", replay: str = "once", **changes: Any) -> dict[str, Any]:
    """Alice alone, with these policies; the agent's own is the same."""
    alice = {**FILE["peers"]["alice"], "signed": signed, "replay": replay}
    return {**FILE, "signed": signed, "peers": {"alice": alice}, **changes}


class ProofAgent(Agent):
    """An agent of that file, asked for its reasons."""

    def __init__(self, file: dict[str, Any] | None = None, since: float = 0, **bounds: int) -> None:
        super().__init__(file or server_file(), AT, since, **bounds)

    def ask(self, fields: Fields, content: bytes | None = BODY, head: RequestHead | None = HEAD) -> str:
        """Which way a caller came in, or why it did not."""
        outcome = self.decided(self.request(fields, content, head))
        return outcome.reason if isinstance(outcome, Refusal) else outcome.proof

    def refusal(self, fields: Fields, content: bytes = BODY) -> Refusal:
        """What a caller that does not come in gets."""
        outcome = self.decided(self.request(fields, content))
        assert isinstance(outcome, Refusal)
        return outcome

    def request(self, fields: Fields, content: bytes | None = BODY, head: RequestHead | None = HEAD) -> AuthRequest:
        """As the scheme is asked."""
        if head is None:
            return AuthRequest(fields, self.source, content=content)
        return AuthRequest(fields, self.source, head.method, head.target, head.binding, content)


def code_at(at: float) -> str:
    """Alice's code."""
    return code_of_step(SEED, Profile(), int(at // 30))


def signature_base(head: RequestHead, lines: dict[str, list[str]], names: list[str], parameters: str) -> str:
    """The text that is signed: the components of a request, in that order."""
    return base_of_components([(name, component_value(head, lines, name)) for name in names], parameters)


def proof_of(
    head: RequestHead, fields: Fields, content: bytes, at: float = AT, agent: str = FILE["agent"], life: int = 60
) -> Fields:
    """The three fields of a proof that was made at some instant."""
    lines: dict[str, list[str]] = {}
    for name, value in fields:
        lines.setdefault(name.lower(), []).append(value)
    digest = f"sha-256=:{base64.b64encode(content_digest(head.binding, content)).decode()}:"
    lines["content-digest"] = [digest]
    optional = OPTIONAL_COMPONENTS if head.binding == "http" else OPTIONAL_COMPONENTS[1:]
    names = [*ALWAYS_COVERED, "x-totp", *(name for name in optional if name in lines)]
    key, created = proof_key(SEED, agent), int(at)
    member = f"({' '.join(f'{chr(34)}{name}{chr(34)}' for name in names)});created={created};expires={created + life}"
    member += f';nonce="{secrets.token_urlsafe(16)}";keyid="{key.keyid}";tag="a2a-totp/proof/v1"'
    mac = mac_of(key.mac, signature_base(head, lines, names, member))
    return [("Content-Digest", digest), ("Signature-Input", f"a2a-totp={member}"), ("Signature", f"a2a-totp=:{mac}:")]


def mac_of(key: bytes, base: str) -> str:
    """In base64."""
    return base64.b64encode(hmac.digest(key, base.encode(), "sha256")).decode()


def plain(at: float = AT, **changes: str) -> Fields:
    """Token and code."""
    given = {"Authorization": f"Bearer {TOKEN}", "X-TOTP": code_at(at), "Content-Type": "application/json"}
    return [*{**given, **changes}.items()]


def signed(at: float = AT, *, head: RequestHead = HEAD, content: bytes = BODY, **changes: str) -> Fields:
    """The same with a proof."""
    fields = plain(at, **changes)
    return [*fields, *proof_of(head, fields, content, at)]


def without(fields: Fields, *names: str) -> Fields:
    """The others."""
    return [(name, value) for name, value in fields if name not in names]


def forged(fields: Fields) -> Fields:
    """With a MAC of nobody."""
    mac = f"a2a-totp=:{base64.b64encode(bytes(32)).decode()}:"
    return [*without(fields, "Signature"), ("Signature", mac)]


def metadata_of(method: str, content: bytes = b"message") -> list[tuple[str, str]]:
    """Of a signed call over gRPC."""
    fields = without(plain(), "Content-Type")
    fields += proof_of(RequestHead("POST", method, "grpc"), fields, content)
    return [(name.lower(), value) for name, value in fields]
