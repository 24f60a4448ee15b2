"""The vectors over real HTTP and real gRPC: as much of them as can be sent there."""

import asyncio
import base64
import hashlib
import re
from typing import Any

import grpc
import pytest
from agents import Agent, seconds
from live import HTTP_SERVERS, PATIENCE, SENDABLE, exchange, grpc_served, raw_request, served
from vectors import read_vectors

from a2a_totp.asgi import TOTPMiddleware, caller_of

WIRE = read_vectors("wire")
RUNS = [*WIRE["runs"], *WIRE["answers"]]
PROOFS = read_vectors("proof")["cases"]
PLAIN = re.compile(r"(?:[\x21-\x7e](?:[\x20-\x7e]{0,2000}[\x21-\x7e])?)?")
"""What metadata of gRPC may hold."""
STATUSES = {"UNAUTHENTICATED": 401, "RESOURCE_EXHAUSTED": 429, "UNAVAILABLE": 503}


class Front:
    """Tells a guarded app, which may change, where a vector's request comes from."""

    def __init__(self, app: Any = None) -> None:
        self.app = app
        self.source: str | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """ASGI."""
        await self.app({**scope, "client": (self.source, 1) if self.source else None}, receive, send)


async def who(scope: Any, receive: Any, send: Any) -> None:
    """Answers the caller's name, after it has read the body."""
    while (await receive()).get("more_body", False):
        pass
    caller = caller_of(scope)
    body = (caller.peer if caller else "nobody").encode()
    fields = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": fields})
    await send({"type": "http.response.body", "body": body})


def agent_of(run: dict[str, Any]) -> Agent:
    """The scheme that a run of the wire vectors is about."""
    return Agent(WIRE["files"][run["file"]], at=seconds(run["since"]), since=seconds(run["since"]))


async def answered_run(run: dict[str, Any], front: Front, port: int) -> None:
    """Asks one run, and compares."""
    agent = agent_of(run)
    front.app = TOTPMiddleware(who, agent.scheme)
    answer = None
    for request in run["requests"]:
        if not all(SENDABLE.fullmatch(value) for _, value in request["headers"]):
            continue
        agent.at, front.source = seconds(request["at"]), request.get("source")
        for _ in range(request.get("times", 1)):
            answer = await exchange(port, raw_request("POST", "/", request["headers"]))
            await agent.look()
            verdict = request.get("verdict")
            if not verdict:
                continue
            assert answer.status == verdict.get("status", 200), (run["name"], request)
            assert answer.body.decode() == verdict.get("peer", answer.body.decode())
            waits = [value for name, value in answer.fields if name == "retry-after"]
            assert waits == [str(verdict[key]) for key in ("retryAfter",) if key in verdict], (run["name"], request)
    if answer and "http" in run:
        expected = {**run["http"], "headers": [(name, value) for name, value in run["http"]["headers"]]}
        found = {"status": answer.status, "headers": answer.own_fields, "body": answer.body.decode()}
        assert found == expected, run["name"]


@pytest.mark.parametrize("server", HTTP_SERVERS)
def test_wire_over_http(server: str) -> None:
    """Status and Retry-After of each request; of the answers every field in order, and the body."""

    async def ask_all() -> None:
        front = Front()
        async with served(front, server) as port:
            for run in RUNS:
                await answered_run(run, front, port)

    asyncio.run(ask_all())


async def echo(message: bytes, context: Any) -> bytes:
    """Answers the caller's name."""
    caller = caller_of(context)
    return (caller.peer if caller else "nobody").encode()


@pytest.mark.parametrize("run", [run for run in RUNS if "source" not in str(run)], ids=lambda run: run["name"])
def test_wire_over_grpc(run: dict[str, Any]) -> None:
    """Status and trailers."""
    handlers = grpc.method_handlers_generic_handler("t.S", {"Who": grpc.unary_unary_rpc_method_handler(echo)})

    async def ask_all() -> None:
        agent, found = agent_of(run), {}
        async with grpc_served(agent.scheme, handlers) as channel:
            for request in run["requests"]:
                if not all(PLAIN.fullmatch(value) for _, value in request["headers"]):
                    continue
                agent.at = seconds(request["at"])
                metadata = [(name.lower(), value) for name, value in request["headers"]]
                for _ in range(request.get("times", 1)):
                    try:
                        answer = await channel.unary_unary("/t.S/Who")(b"", metadata=metadata, timeout=PATIENCE)
                        seen: dict[str, Any] = {"peer": answer.decode()}
                    except grpc.aio.AioRpcError as error:
                        trailers = [[key, value] for key, value in error.trailing_metadata() or ()]
                        found = {"status": error.code().name, "details": error.details(), "trailers": trailers}
                        waits = [int(value) for key, value in trailers if key == "retry-after"]
                        seen = {"status": STATUSES[error.code().name], **({"retryAfter": waits[0]} if waits else {})}
                    await agent.look()
                    verdict = request.get("verdict", seen)
                    assert seen == {key: verdict[key] for key in seen if key in verdict}, request
                    assert ("status" in seen) == ("status" in verdict), request
        if "grpc" in run:
            assert found == run["grpc"]

    asyncio.run(ask_all())


def agent_of_proof(case: dict[str, Any]) -> Agent | None:
    """An agent that requires proofs, of the peer that a case is about; None for a case without a token."""
    fields = [value for name, value in case["request"]["headers"] if name.lower() == "authorization"]
    token = re.fullmatch(r"(?i:bearer) +(\S+)", fields[0].strip()) if len(fields) == 1 else None
    codes = [value for name, value in case["request"]["headers"] if name.lower() == case["header"].lower()]
    if not token:
        return None
    peer = {
        "replay": "once",
        "signed": "require",
        "seeds": [{"id": "s", "seed": case["seed"]}],
        "tokens": [{"id": "t", "hash": "sha256:" + hashlib.sha256(token[1].encode()).hexdigest()}],
    }
    profile = {name: case[name] for name in ("header", "period", "window")}
    profile |= {"algorithm": "SHA1", "digits": len(codes[0]) if codes and len(codes[0]) in (6, 7, 8) else 6}
    file = {"version": 1, "agent": case["agent"], "profile": profile, "signed": "require", "peers": {"alice": peer}}
    return Agent({**file, "requires": ["once", "signed"]}, at=case["now"])


OVER_HTTP = [case for case in PROOFS if case["request"]["binding"] == "http"]
OVER_GRPC = [case for case in PROOFS if case["request"]["binding"] == "grpc"]


@pytest.mark.parametrize("server", HTTP_SERVERS)
def test_published_proofs_over_http(server: str) -> None:
    """A request is let in if its proof is valid, and once; it gets the uniform answer otherwise."""

    async def ask_all() -> None:
        asked, front = [], Front()
        async with served(front, server) as port:
            for case in OVER_HTTP:
                message = message_of(case["request"])
                agent = agent_of_proof(case)
                if not agent or not message:
                    continue
                front.app = TOTPMiddleware(who, agent.scheme)
                statuses = [(await exchange(port, message, case["request"]["method"])).status for _ in range(2)]
                expected = 200 if case["expect"]["verdict"] == "valid" else 401
                assert statuses == [expected, 401], case["description"]
                asked.append(expected)
        # So that it can be trusted.
        assert asked.count(200) > 20 and asked.count(401) > 80

    asyncio.run(ask_all())


def message_of(request: dict[str, Any]) -> bytes | None:
    """The bytes of a request; None if it cannot arrive as it is."""
    fields = [(name, value) for name, value in request["headers"] if name.lower() not in ("host", "content-length")]
    if not all(SENDABLE.fullmatch(value.strip(" \t")) for _, value in fields):
        return None
    if not re.fullmatch(r"[A-Z]+ /[\x21-\x7e]*", f"{request['method']} {request['target']}"):
        return None
    return raw_request(request["method"], request["target"], fields, base64.b64decode(request["bodyBase64"]))


@pytest.mark.parametrize("case", OVER_GRPC, ids=lambda case: case["description"])
def test_published_proofs_over_grpc(case: dict[str, Any]) -> None:
    """The same of messages."""
    request = case["request"]

    class Every(grpc.GenericRpcHandler):
        def service(self, handler_call_details: Any) -> Any:
            return grpc.unary_unary_rpc_method_handler(echo)

    async def ask() -> None:
        agent = agent_of_proof(case)
        assert agent
        metadata = [(name.lower(), value) for name, value in request["headers"] if name.lower() != "content-type"]
        expected = [case["expect"]["verdict"] == "valid", False]
        async with grpc_served(agent.scheme, Every()) as channel:
            call, found = channel.unary_unary(request["target"]), []
            for _ in expected:
                try:
                    await call(base64.b64decode(request["bodyBase64"]), metadata=metadata, timeout=PATIENCE)
                    found.append(True)
                except grpc.aio.AioRpcError as error:
                    assert error.code() is grpc.StatusCode.UNAUTHENTICATED
                    found.append(False)
        assert found == expected

    asyncio.run(ask())
