"""Proofs that are made here are those of the other implementations, for the same nonce and instant."""

import base64
import json
import re
import subprocess
from pathlib import Path
from shutil import which
from typing import Any

import pytest
from client_parts import REPOSITORY, credentials

from a2a_totp.credentials import CannotSignError

CASES = json.loads((REPOSITORY / "test" / "vectors" / "proof.json").read_text(encoding="utf-8"))["cases"]
CLI = REPOSITORY / "bin" / "a2a-totp.cjs"


def nonce_of(signature_input: str) -> bytes:
    """The bytes of a nonce."""
    text = re.search('nonce="([^"]*)"', signature_input)[1]  # type: ignore[index]
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def signed_again(case: dict[str, Any], fields: dict[str, str]) -> dict[str, str]:
    """The proof that is made here of the request of a vector."""
    request, given = case["request"], fields["signature-input"]
    token = fields["authorization"].removeprefix("Bearer ")
    own = credentials(
        token=token, seed=case["seed"], agent=case["agent"], header=case["header"], period=case["period"],
        window=case["window"],
    )  # fmt: skip
    created = int(re.search("created=([0-9]+)", given)[1])  # type: ignore[index]
    return own.proof(
        request["method"], request["target"], [tuple(line) for line in request["headers"]],
        base64.b64decode(request["bodyBase64"]), binding=request["binding"], at=created, nonce=nonce_of(given),
    )  # fmt: skip


def test_the_vectors() -> None:
    """Each valid one that has our form is made here letter by letter; others have another order, label or lifetime."""
    alike: list[str] = []
    for case in CASES:
        fields = {name.lower(): value for name, value in case["request"]["headers"]}
        given = fields.get("signature-input", "")
        if case["expect"]["verdict"] != "valid" or not given.startswith('a2a-totp=("@method" "@path" "@query"'):
            continue
        own = signed_again(case, fields)
        if own["Signature-Input"] == given and own["Content-Digest"] == fields["content-digest"]:
            assert own["Signature"] == fields["signature"], case["description"]
            alike.append(case["request"]["binding"])
    assert alike.count("http") >= 5
    assert alike.count("grpc") >= 1


@pytest.mark.skipif(not CLI.exists() or which("node") is None, reason="needs the CLI, built")
def test_the_cli_signs_alike(tmp_path: Path) -> None:
    """For the nonce that it took, at the instant that it was given."""
    store = tmp_path / "store.json"

    def run(*words: str) -> str:
        node = [which("node") or "node", str(CLI), "--store", str(store), *words]
        return subprocess.run(node, check=True, capture_output=True, text=True).stdout  # noqa: S603

    run("init", "--agent", "billing", "--digits", "8", "--algorithm", "SHA256", "--window", "2", "--signed", "accept")
    run("add-peer", "alice")
    own = json.loads(run("config", "client", "alice", "--format", "json"))["agents"]["billing"]
    body = tmp_path / "body"
    body.write_bytes(b'{"jsonrpc":"2.0"}')
    url, at = "https://billing.example/a2a?x=1", "1795460417"
    lines = run(
        *("code", "alice", "--headers", "--for", "POST", url, "--body", str(body), "--at", at),
        *("--with", "Content-Type: application/json", "--with", "A2A-Version: 1.0"),
    )
    fields = dict(line.split(": ", 1) for line in lines.splitlines())
    made = credentials(**own, agent="billing")
    proof = made.proof(
        "POST", "/a2a?x=1", fields.items(), body.read_bytes(), at=int(at), nonce=nonce_of(fields["Signature-Input"])
    )
    assert {name: fields[name] for name in proof} == proof
    assert fields["X-TOTP"] == made.code(int(at))


@pytest.mark.parametrize(
    ("fields", "agent"),
    [([("content-encoding", "gzip")], "a"), ([("content-type", "text/\u00e9")], "a"), ([], None)],
)
def test_what_no_signature_can_cover(fields: list[tuple[str, str]], agent: str | None) -> None:
    """Is an error that says why."""
    own = credentials(agent=agent)
    with pytest.raises(CannotSignError):
        own.proof("POST", "/", [*own.headers().items(), *fields], b"")
    with pytest.raises(CannotSignError, match="authorization"):
        credentials(agent="a").proof("POST", "/", [], b"")
