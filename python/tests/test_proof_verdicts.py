"""Proofs without a scheme: the published vectors, those of RFC 9421, and what `verify` takes."""

import base64
import hashlib
import hmac
from dataclasses import replace
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any

import pytest
from signed_requests import signature_base
from vectors import read_vectors

from a2a_totp.proof import ProofRequest, ProofVerdict, RequestHead, content_digest, proof_key, verify
from a2a_totp.proof.reading import component_value, read_proof
from a2a_totp.scheme import AuthRequest
from a2a_totp.structured import decoded_bytes, dictionary_of, is_canonical

CASES = read_vectors("proof")["cases"]
RFC = read_vectors("rfc9421")


def request_of(case: dict[str, Any]) -> ProofRequest:
    """The request of a vector."""
    given = case["request"]
    fields = [(name, value) for name, value in given["headers"]]
    body = base64.b64decode(given["bodyBase64"])
    return ProofRequest(given["method"], given["target"], fields, body, given["binding"])


def options_of(case: dict[str, Any]) -> dict[str, Any]:
    """What the verifier knows beside it."""
    return {"seeds": [case["seed"]], **{name: case[name] for name in ("agent", "header", "period", "window", "now")}}


RIGHT = next(case for case in CASES if case["expect"]["verdict"] == "valid")
SHAPES = {
    "texts": request_of,
    "bytes": lambda case: replace(
        request_of(case),
        fields=[(name.lower().encode(), value.encode("latin-1")) for name, value in case["request"]["headers"]],
    ),
    "a request of the scheme": lambda case: AuthRequest(
        request_of(case).fields,
        method=case["request"]["method"],
        target=case["request"]["target"],
        binding=case["request"]["binding"],
        content=request_of(case).content,
    ),
    "a mapping": lambda case: {**case["request"], "body": bytearray(request_of(case).content or b"")},
    "what the vector has": lambda case: case["request"],
    "an object with its members": lambda case: SimpleNamespace(**case["request"]),
    "a mapping of a request of the scheme": lambda case: vars(request_of(case)),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["description"])
def test_published_verdicts(case: dict[str, Any], shape: str) -> None:
    """In every shape of a request, the first of the reasons that the vector allows, and the key id."""
    expected = case["expect"]
    verdict = verify(SHAPES[shape](case), **options_of(case))
    assert verdict.verdict == expected["verdict"]
    assert verdict.reason == (expected["reasons"][0] if "reasons" in expected else expected.get("reason"))
    assert verdict.keyid == case["keyid"] if verdict.verdict == "valid" else True


@pytest.mark.parametrize("case", [case for case in CASES if "signatureBase" in case], ids=lambda c: c["description"])
def test_published_signature_bases(case: dict[str, Any]) -> None:
    """What is signed, to the byte."""
    request = request_of(case)
    lines: dict[str, list[str]] = {}
    for name, value in request.fields:
        lines.setdefault(name.lower(), []).append(value)
    life = (case["window"] + 1) * case["period"]
    proof = read_proof(
        RequestHead(request.method, request.target, request.binding), lines, case["header"].lower(), life
    )
    assert not isinstance(proof, str) and proof is not None
    assert proof.base == case["signatureBase"]


def test_several_seeds_and_other_agents() -> None:
    """Any live seed will do, as base32 or as bytes; another agent's name is another key."""
    options = options_of(RIGHT)
    seed = base64.b32decode(RIGHT["seed"])
    right = ProofVerdict("valid", None, RIGHT["keyid"])
    assert verify(request_of(RIGHT), **{**options, "seeds": [b"\x02" * 20, seed]}) == right
    assert verify(request_of(RIGHT), **{**options, "seeds": (RIGHT["seed"].lower(), b"\x02" * 20)}) == right
    for change in ({"seeds": []}, {"seeds": [b"\x02" * 20]}, {"agent": "other"}):
        wrong = verify(request_of(RIGHT), **{**options, **change})
        assert wrong == ProofVerdict("refused", "proof-key", RIGHT["keyid"])
    at = datetime.fromtimestamp(RIGHT["now"], timezone.utc)
    assert verify(request_of(RIGHT), **{**options, "now": at}) == right


def test_seconds_are_rounded_down() -> None:
    """A proof is good until the end of its last second."""
    options = options_of(RIGHT)
    expires = int(RIGHT["signatureBase"].partition("expires=")[2].partition(";")[0])
    assert verify(request_of(RIGHT), **{**options, "now": expires + 0.999}).verdict == "valid"
    assert verify(request_of(RIGHT), **{**options, "now": expires + 1}).reason == "proof-stale"


@pytest.mark.parametrize("value", ["Bearer é", "Bearer ж", b"Bearer \xff", None, 7, ["Bearer x"], "Bearer \n", "\0"])
def test_what_is_no_plain_text_is_malformed(value: Any) -> None:
    """And nothing that a caller sends raises."""
    fields = [(name, value if name == "Authorization" else line) for name, line in request_of(RIGHT).fields]
    verdict = verify(replace(request_of(RIGHT), fields=fields), **options_of(RIGHT))
    assert (verdict.verdict, verdict.reason) == ("refused", "proof-malformed")


@pytest.mark.parametrize(
    "change",
    [
        *({"seeds": RIGHT["seed"]}, {"seeds": [7]}, {"seeds": ["1"]}, {"seeds": [b""]}, {"seeds": [""]}),
        *({"agent": ""}, {"header": ""}, {"period": 0}, {"period": 1.5}, {"period": True}, {"window": -1}),
        *({"now": float("nan")}, {"now": "1"}, {"now": datetime(2026, 1, 1)}, {"now": None}),
    ],
    ids=str,
)
def test_options_of_another_shape_raise(change: dict[str, Any]) -> None:
    """And the error does not show the seed."""
    with pytest.raises((ValueError, TypeError)) as caught:
        verify(request_of(RIGHT), **{**options_of(RIGHT), **change})
    assert RIGHT["seed"] not in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [{"method": None}, {"target": b"/"}, {"binding": "smtp"}, {"fields": None}, {"fields": "a: b"}, {"content": 5}],
    ids=str,
)
def test_requests_of_another_shape_raise(change: dict[str, Any]) -> None:
    """A mistake of the program, not of a caller."""
    with pytest.raises((ValueError, TypeError)):
        verify(replace(request_of(RIGHT), **change), **options_of(RIGHT))


def test_a_request_does_not_print_its_credentials() -> None:
    """Neither token nor body."""
    assert "a2at_" not in repr(request_of(RIGHT))


# RFC 9421 itself, whose examples are not of the profile


def base_of(vector: dict[str, Any]) -> str:
    """The signature base of an example, whose components are named by its member."""
    lines: dict[str, list[str]] = {}
    for name, value in vector["fields"]:
        lines.setdefault(name, []).append(value)
    (member,) = dictionary_of([vector["signatureInput"]]) or ()
    names = [str(item.value) for item, _ in member.items or ()]
    return signature_base(RequestHead(vector["method"], vector["target"]), lines, names, member.text)


@pytest.mark.parametrize("name", ["base", "hmac"])
def test_rfc_9421_signature_bases(name: str) -> None:
    """Section 2.5 and appendix B.2.5; their members are canonical."""
    assert base_of(RFC[name]) == RFC[name]["base"]
    assert all(is_canonical(member) for member in dictionary_of([RFC[name]["signatureInput"]]) or ())


def test_rfc_9421_hmac() -> None:
    """Appendix B.2.5."""
    vector = RFC["hmac"]
    (member,) = dictionary_of([vector["signature"]]) or ()
    assert member.item is not None
    mac = hmac.digest(base64.b64decode(vector["keyBase64"]), vector["base"].encode(), "sha256")
    assert (member.label, decoded_bytes(str(member.item.value))) == ("sig-b25", mac)


@pytest.mark.parametrize("vector", RFC["fieldValues"], ids=lambda vector: vector["name"])
def test_rfc_9421_field_values(vector: dict[str, Any]) -> None:
    """Section 2.1."""
    head = RequestHead("GET", "/")
    assert component_value(head, {vector["name"]: vector["lines"]}, vector["name"]) == vector["value"]


@pytest.mark.parametrize("vector", RFC["derived"], ids=lambda vector: f"{vector['name']} of {vector['target']}")
def test_rfc_9421_derived_components(vector: dict[str, Any]) -> None:
    """Section 2.2."""
    assert component_value(RequestHead("POST", vector["target"]), {}, vector["name"]) == vector["value"]


def test_rfc_9530_content_digest() -> None:
    """Of the content of RFC 9421 appendix B.2."""
    digest = content_digest("http", RFC["contentDigest"]["content"].encode())
    assert f"sha-256=:{base64.b64encode(digest).decode()}:" == RFC["contentDigest"]["value"]
    framed = content_digest("grpc", b"abc")
    assert framed == hashlib.sha256(b"\0\0\0\0\3abc").digest()


def test_a_key_does_not_print() -> None:
    """Only its name does."""
    key = proof_key(b"\x01" * 20, "billing")
    assert key.mac.hex() not in repr(key) and repr(key.mac) not in repr(key)
