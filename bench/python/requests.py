"""Measures what the guard adds to a request of an ASGI app, in CPU time: prints the samples of each variant as JSON.

    PYTHONPATH=python/src python bench/python/requests.py [ROUNDS [PEERS]]

No server and no sockets, so it is the guard alone that is compared with the app alone. The app reads its body, and
answers with JSON; where Starlette is there, one of Starlette does the same. A batch has one request of each peer; a
round has a batch of each variant, in turn. The clock is ours: two days pass between batches, so that no budget is
exhausted by the guesses of the one before.
"""

import asyncio
import gc
import json
import logging
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from a2a_totp.asgi import TOTPMiddleware
from a2a_totp.credentials import TotpCredentials
from a2a_totp.scheme import TOTPServerAuthScheme
from a2a_totp.server_file_text import parse_server_file
from a2a_totp.tokens import hash_token

BODY = b'{"jsonrpc":"2.0","id":1,"method":"SendMessage","params":{"text":"' + 220 * b"x" + b'"}}'
AGENT = "billing"
Request = tuple[dict[str, Any], bytes]
App = Callable[..., Any]


class Clock:
    """Unix seconds, as this program says."""

    def __init__(self) -> None:
        self.at = 1_780_000_000.0

    def __call__(self) -> float:
        return self.at


async def app(scope: Any, receive: Any, send: Any) -> None:
    """The least that an agent does."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    answer = json.dumps({"jsonrpc": "2.0", "id": json.loads(body)["id"], "result": scope["path"]}).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": answer})


def starlette_app() -> App | None:
    """The same as people write it."""
    try:
        from starlette.applications import Starlette
        from starlette.requests import Request as StarletteRequest
        from starlette.responses import JSONResponse
        from starlette.routing import Route
    except ImportError:
        return None

    async def answer(request: StarletteRequest) -> JSONResponse:
        body = await request.json()
        return JSONResponse({"jsonrpc": "2.0", "id": body["id"], "result": request.url.path})

    return Starlette(routes=[Route("/", answer, methods=["POST"])])


def peers_of(count: int) -> list[TotpCredentials]:
    """Each with a seed and a token of its own."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    seeds = ["".join(letters[(number >> 5 * place) % 32] for place in range(32)) for number in range(count)]
    return [TotpCredentials(f"token-{number}", seed, agent=AGENT) for number, seed in enumerate(seeds)]


def server_file(peers: Iterable[TotpCredentials], replay: str, signed: str) -> str:
    """What `a2a-totp config server` prints of them."""
    profile = {"algorithm": "SHA1", "digits": 6, "period": 30, "window": 1, "header": "X-TOTP"}
    entries = {
        f"peer-{number}": {
            "replay": replay,
            "signed": signed,
            "seeds": [{"id": "k1", "seed": peer.seed}],
            "tokens": [{"id": "t1", "hash": hash_token(peer.token)}],
        }
        for number, peer in enumerate(peers)
    }
    return json.dumps({"version": 1, "agent": AGENT, "profile": profile, "peers": entries})


def guarded(text: str, clock: Clock, inner: App = app) -> App:
    """An app behind the middleware."""
    roster = parse_server_file(text)
    return TOTPMiddleware(inner, TOTPServerAuthScheme._of_roster(lambda: roster, now=clock))


def request_of(fields: Mapping[str, str]) -> Request:
    """As an ASGI server passes it on."""
    headers = [(b"host", b"agent.example"), (b"content-type", b"application/json"), (b"accept", b"application/json")]
    headers += [(name.lower().encode(), value.encode()) for name, value in fields.items()]
    scope = {"type": "http", "method": "POST", "path": "/", "raw_path": b"/", "query_string": b"", "headers": headers}
    return {**scope, "client": ("10.0.0.7", 4711), "root_path": ""}, BODY


def plain(peer: TotpCredentials, at: float) -> Request:
    return request_of(peer.headers(at))


def wrong(peer: TotpCredentials, at: float) -> Request:
    right = {peer.code(at + step) for step in (-30, 0, 30)}
    code = next(code for code in ("000000", "111111", "222222", "333333") if code not in right)
    return request_of({**peer.headers(at), "X-TOTP": code})


def signed(peer: TotpCredentials, at: float) -> Request:
    own = peer.headers(at)
    sent = [("content-type", "application/json"), *own.items()]
    return request_of({**own, **peer.proof("POST", "/", sent, BODY, at=at)})


async def cost_of(guard: App, requests: Iterable[Request], expected: int) -> float:
    """Microseconds of CPU time a request."""
    count = 0
    statuses: set[int] = set()

    async def send(message: Any) -> None:
        if "status" in message:
            statuses.add(message["status"])

    gc.collect()
    start = time.process_time()
    for scope, body in requests:

        async def receive(body: bytes = body) -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        await guard(scope, receive, send)
        count += 1
    taken = time.process_time() - start
    if statuses != {expected}:
        raise SystemExit(f"expected {expected}, got {statuses}")
    return taken * 1e6 / count


async def measure(
    guards: Mapping[str, tuple[App, Callable[[TotpCredentials, float], Request], int]],
    peers: list[TotpCredentials],
    clock: Clock,
    rounds: int,
) -> dict[str, list[float]]:
    """The samples of each variant. The first round warms up."""
    samples: dict[str, list[float]] = {name: [] for name in guards}
    names = list(guards)
    for number in range(rounds + 1):
        for place in range(len(names)):
            name = names[(place + number) % len(names)]
            guard, make, expected = guards[name]
            clock.at += 2 * 86_400
            if name.endswith("again"):
                # Codes of a time step that are known by now.
                await cost_of(guard, [make(peer, clock.at) for peer in peers], expected)
            cost = await cost_of(guard, [make(peer, clock.at) for peer in peers], expected)
            # What is looked at after the answer is not part of it, and belongs to no other variant.
            await asyncio.sleep(0.1)
            if number:
                samples[name].append(cost)
    return samples


def variants(peers: list[TotpCredentials], clock: Clock) -> dict[str, Any]:
    """The app alone, and behind guards of each policy."""
    reuse = server_file(peers, "reuse", "off")
    starlette = starlette_app()
    others = {}
    if starlette:
        others = {
            "Starlette": (starlette, plain, 200),
            "Starlette, reuse, again": (guarded(reuse, clock, starlette), plain, 200),
        }
    return {
        "app": (app, plain, 200),
        "reuse, first of a step": (guarded(reuse, clock), plain, 200),
        "reuse, again": (guarded(reuse, clock), plain, 200),
        "once": (guarded(server_file(peers, "once", "off"), clock), plain, 200),
        "wrong code": (guarded(reuse, clock), wrong, 401),
        "signed, accept": (guarded(server_file(peers, "reuse", "accept"), clock), signed, 200),
        **others,
    }


def main() -> None:
    """Prints the samples."""
    rounds, count = (int(text) for text in [*sys.argv[1:], *("15", "500")[len(sys.argv) - 1 :]])
    # No line is written, but each is made.
    logging.getLogger("a2a_totp").addHandler(logging.NullHandler())
    logging.getLogger("a2a_totp").propagate = False
    clock, peers = Clock(), peers_of(count)
    print(json.dumps(asyncio.run(measure(variants(peers, clock), peers, clock, rounds))))


if __name__ == "__main__":
    main()
