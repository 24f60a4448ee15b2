"""Credentials: right codes, from the environment and from a client file that changes; no secret in what they say."""

import base64
import copy
import json
import os
import pickle
import threading
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from client_parts import REPOSITORY, SEED, TOKEN, credentials

from a2a_totp.client import BearerTokenAuth, TOTPClientAuthScheme
from a2a_totp.client_file import read_client_agents
from a2a_totp.credentials import CannotSignError, CredentialsError, TotpCredentials

RFC = json.loads((REPOSITORY / "test" / "vectors" / "rfc.json").read_text(encoding="utf-8"))["totp"]
OTHER_SEED = base64.b32encode(b"another-seed-of-20-b").decode()
ENVIRONMENT = {"A2A_TOTP_TOKEN": TOKEN, "A2A_TOTP_SEED": SEED}


class Secret:
    """What pydantic's SecretStr is, as far as it is used."""

    def __init__(self, text: str) -> None:
        self._text = text

    def get_secret_value(self) -> str:
        """The text."""
        return self._text


def test_rfc_6238_appendix_b() -> None:
    """All algorithms."""
    for case in RFC["cases"]:
        for algorithm, ascii_seed in RFC["seedAscii"].items():
            seed = base64.b32encode(ascii_seed.encode()).decode()
            made = credentials(seed=seed, algorithm=algorithm, digits=RFC["digits"], period=RFC["period"])
            assert made.code(case["unix"]) == case[algorithm]


def test_the_environment_is_read_as_the_cli_writes_it() -> None:
    """Defaults where it says nothing."""
    assert TotpCredentials.from_env({**ENVIRONMENT, "A2A_TOTP_PERIOD": ""}) == credentials()
    unusual = {
        **{"ALGORITHM": "SHA512", "DIGITS": "8", "PERIOD": "60", "HEADER": "X-Code", "URL": "https://h"},
        **{"AGENT": "billing", "SIGNED": "require", "WINDOW": "2"},
    }
    expected = credentials(
        **{"algorithm": "SHA512", "digits": 8, "period": 60, "header": "X-Code", "url": "https://h"},
        **{"agent": "billing", "signed": "require", "window": 2, "replay": "once"},
    )
    named = {**ENVIRONMENT, **{f"A2A_TOTP_{name}": value for name, value in unusual.items()}}
    assert TotpCredentials.from_env(named, replay="once") == expected


@pytest.mark.parametrize(
    "wrong",
    [{"A2A_TOTP_TOKEN": ""}, {"A2A_TOTP_SEED": "0189"}, {"A2A_TOTP_SEED": "A"}, {"A2A_TOTP_TOKEN": "a b"},
     {"A2A_TOTP_DIGITS": "six"}, {"A2A_TOTP_PERIOD": "5"}, {"A2A_TOTP_ALGORITHM": "MD5"},
     {"A2A_TOTP_HEADER": "Authorization"}, {"A2A_TOTP_HEADER": "content-digest"}, {"A2A_TOTP_HEADER": "TotpPeer"},
     {"A2A_TOTP_WINDOW": "3"}, {"A2A_TOTP_SIGNED": "always"}, {"A2A_TOTP_AGENT": "-"},
     {"A2A_TOTP_SIGNED": "require"}],
)  # fmt: skip
def test_bad_credentials_are_an_error_that_quotes_none(wrong: dict[str, str]) -> None:
    """At construction, not at the first call."""
    with pytest.raises(CredentialsError) as caught:
        TotpCredentials.from_env({**ENVIRONMENT, **wrong})
    assert SEED not in str(caught.value)
    assert TOKEN not in repr(credentials())
    assert SEED not in repr(credentials())


def test_a_whole_number_may_be_a_float_as_in_json(tmp_path: Path) -> None:
    """It makes the same codes and proofs; what is no whole number is an error at once."""
    numbers = {"digits": 6.0, "period": 30.0, "window": 1.0}
    made, expected = credentials(**numbers, agent="billing"), credentials(window=1, agent="billing")
    path = written(tmp_path / "c.json", {"version": 1.0, "agents": {"billing": entry(**numbers)}})
    for read in (made, TotpCredentials.from_file(path)):
        assert read.code(59) == expected.code(59)
        fields = expected.headers(59).items()
        proofs = [one.proof("GET", "/", fields, b"", at=59, nonce=b"n" * 16) for one in (read, expected)]
        assert proofs[0] == proofs[1]
    for name in numbers:
        for value in (6.5, 30.5, float("nan"), float("inf"), True, Decimal(1), "6", [6]):
            with pytest.raises(CredentialsError, match=r"digits must be|window 0, 1 or 2"):
                credentials(**{name: value})


def test_a_weak_seed_still_gives_its_code_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    """It is not the client's to choose."""
    assert len(credentials(seed="JBSWY3DPEHPK3PXP").code()) == 6
    assert "80 bits" in caplog.text
    assert "JBSWY3DP" not in caplog.text
    caplog.clear()
    credentials()
    assert not caplog.records


def test_a_secret_str_is_taken_as_it_is() -> None:
    """For token and seed."""
    assert credentials(token=Secret(TOKEN), seed=Secret(SEED)) == credentials()
    scheme = TOTPClientAuthScheme(delegate=BearerTokenAuth(token=Secret(TOKEN)), seed=Secret(SEED))
    assert scheme.current() == credentials()


def entry(**changed: Any) -> dict[str, Any]:
    """What a client file says of one agent."""
    usual = {"url": None, "token": TOKEN, "seed": SEED, "algorithm": "SHA1", "digits": 6, "period": 30}
    return {**usual, "header": "X-TOTP", "replay": "reuse", "signed": "off", "window": 1, **changed}


def written(path: Path, file: Any) -> Path:
    """Replaced whole, as a deployment does it."""
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(file), encoding="utf-8")
    fresh.chmod(0o600)
    return fresh.replace(path)


def test_a_client_file_as_the_cli_prints_it(tmp_path: Path) -> None:
    """The credentials are in it twice."""
    own = entry(url="https://billing.example", replay="once", signed="accept")
    path = written(tmp_path / "c.json", {"version": 1, "peer": "alice", "agent": "billing", **own,
                                         "agents": {"billing": own}, "later": True})  # fmt: skip
    expected = credentials(url="https://billing.example", agent="billing", replay="once", signed="accept", window=1)
    for read in (TotpCredentials.from_file(path), TotpCredentials.from_file(str(path), "billing")):
        assert read.current() == expected
        assert read.token == TOKEN
        assert read.profile.header == "X-TOTP"
        assert TOKEN not in repr(read)
        assert SEED not in repr(read)
        assert read.headers(59) == expected.headers(59)


def test_a_client_file_with_several_agents(tmp_path: Path) -> None:
    """Which one has to be said, and an error names those that it has."""
    agents = {"billing": entry(), "stock": entry(seed=OTHER_SEED), "orders": entry(token="orders")}  # noqa: S106
    path = written(tmp_path / "c.json", {"version": 1, "peer": "alice", "agents": agents})
    read = {name: TotpCredentials.from_file(path, agent=name) for name in agents}
    assert [one.agent for one in read.values()] == list(agents)
    assert read["stock"].seed == OTHER_SEED
    assert read["orders"].token == "orders"  # noqa: S105
    with pytest.raises(CredentialsError, match="has several agents; name one of billing, stock, orders"):
        TotpCredentials.from_file(path)
    with pytest.raises(CredentialsError, match="does not have the agent desk; it has billing, stock, orders"):
        TotpCredentials.from_file(path, agent="desk")
    written(path, {"version": 1, "agents": {"billing": entry(), SEED + " secret": entry()}})
    with pytest.raises(CredentialsError, match="name one of billing, \\(no name\\)"):
        TotpCredentials.from_file(path)


def test_a_client_file_with_several_agents_is_followed_for_each(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One that leaves the file keeps what it had, and that is logged."""
    agents = {"billing": entry(), "stock": entry(), "orders": entry()}
    path = written(tmp_path / "c.json", {"version": 1, "agents": agents})
    read = {name: TotpCredentials.from_file(path, name) for name in agents}
    written(path, {"version": 1, "agents": {"billing": entry(), "stock": entry(seed=OTHER_SEED)}})
    deadline = time.monotonic() + 20
    while read["stock"].seed != OTHER_SEED or "does not have the agent orders" not in caplog.text:
        assert {read["billing"].seed, read["orders"].seed} == {SEED}
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(
    "file",
    [[], {}, {"version": 2, "agents": {"a": entry()}}, {"version": True, "agents": {"a": entry()}},
     {"version": 1, "agents": []}, {"version": 1, "agents": {"a": SEED}}, {"version": 1, "agents": {"a": {}}},
     {"version": 1, "agents": {"a": entry(digits="6")}}, {"version": 1, "agents": {"a": entry(token=5)}},
     {"version": 1, "agents": {"a": entry(window=True)}}, {"version": 1, "agents": {"a": entry(seed="0189")}},
     {"version": 1, "agents": {"a b": entry()}}],
)  # fmt: skip
def test_a_client_file_that_cannot_be_used_is_an_error_at_the_start(tmp_path: Path, file: Any) -> None:
    """One that quotes nothing."""
    path = written(tmp_path / "c.json", file)
    with pytest.raises(CredentialsError) as caught:
        TotpCredentials.from_file(path)
    assert SEED not in str(caught.value)
    path.write_text("{" + SEED, encoding="utf-8")
    with pytest.raises(CredentialsError, match="not JSON") as caught:
        TotpCredentials.from_file(path)
    assert caught.value.__cause__ is None
    with pytest.raises(CredentialsError, match="cannot read"):
        TotpCredentials.from_file(tmp_path / "none.json")


@pytest.mark.parametrize("place", ['"version": 1', '"billing": ', '"seed": ', '"inner": '])
def test_a_client_file_with_a_key_twice_is_refused(tmp_path: Path, place: str) -> None:
    """Wherever it is, as in TypeScript: readers could differ in which of them counts."""
    own = entry(later={"inner": 1})
    path = written(tmp_path / "c.json", {"version": 1, "agents": {"billing": own, "stock": own}})
    assert TotpCredentials.from_file(path, "billing").seed == SEED
    twice = '"version": 1, "version": 1' if place == '"version": 1' else f"{place}{{}}, {place}"
    path.write_text(path.read_text(encoding="utf-8").replace(place, twice, 1), encoding="utf-8")
    with pytest.raises(CredentialsError, match="the client file has a key twice") as caught:
        TotpCredentials.from_file(path, "billing")
    assert SEED not in str(caught.value)
    with pytest.raises(CredentialsError, match="has a key twice"):
        read_client_agents(str(path))


def test_a_client_file_is_followed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A broken one leaves the last good in force, and says so once."""
    path = written(tmp_path / "c.json", {"version": 1, "agents": {"a": entry()}})
    read = TotpCredentials.from_file(path)
    copied, pickled = copy.deepcopy(read), pickle.loads(pickle.dumps(read))  # noqa: S301

    def eventually(seed: str) -> None:
        deadline = time.monotonic() + 20
        while not all(one.seed == seed for one in (read, copied, pickled)):
            assert time.monotonic() < deadline
            time.sleep(0.05)

    written(path, {"version": 1, "agents": {"a": entry(seed=OTHER_SEED)}})
    eventually(OTHER_SEED)
    assert read.code(59) == credentials(seed=OTHER_SEED).code(59)
    written(path, {"version": 1, "agents": {"a": entry(seed="0189")}})
    deadline = time.monotonic() + 20
    while "stays in force" not in caplog.text:
        assert read.seed == OTHER_SEED
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert read.seed == OTHER_SEED
    written(path, {"version": 1, "agents": {"a": entry()}})
    eventually(SEED)


def test_the_scheme_of_the_design(monkeypatch: pytest.MonkeyPatch) -> None:
    """A delegate for the first factor, and the seed of the environment by default; without one a ValueError."""
    for name in [name for name in os.environ if name.startswith("A2A_TOTP_")]:
        monkeypatch.delenv(name)
    scheme = TOTPClientAuthScheme(delegate=BearerTokenAuth(token="my-bearer-token"), seed=SEED)  # noqa: S106
    headers = scheme.headers(59)
    assert headers == {"Authorization": "Bearer my-bearer-token", "X-TOTP": "287082"}
    with pytest.raises(ValueError, match="no seed"):
        TOTPClientAuthScheme(delegate=BearerTokenAuth(token=TOKEN))
    with pytest.raises(ValueError, match="no bearer token"):
        TOTPClientAuthScheme(seed=SEED)

    monkeypatch.setenv("A2A_TOTP_SEED", SEED)
    monkeypatch.setenv("A2A_TOTP_DIGITS", "8")
    monkeypatch.setenv("A2A_TOTP_TOKEN", TOKEN)
    assert TOTPClientAuthScheme().current() == credentials(digits=8)
    assert TOTPClientAuthScheme(digits=7).current() == credentials(digits=7)
    # The variables may be about another agent.
    assert TOTPClientAuthScheme(seed=OTHER_SEED).current() == credentials(seed=OTHER_SEED)
    assert not any(secret in repr(scheme) + repr(BearerTokenAuth(TOKEN)) for secret in (SEED, TOKEN, "my-bearer"))
    with pytest.raises(CannotSignError):
        TOTPClientAuthScheme(seed=SEED, signed="require")


def test_a_token_may_rotate() -> None:
    """It is asked for each request; the seed stays."""
    tokens = iter(["first", "first", "second"])
    scheme = TOTPClientAuthScheme(BearerTokenAuth(lambda: next(tokens)), SEED)
    assert [scheme.headers()["Authorization"] for _ in range(2)] == ["Bearer first", "Bearer second"]
    fixed = TOTPClientAuthScheme(BearerTokenAuth(TOKEN), SEED)
    for one in (copy.deepcopy(fixed), pickle.loads(pickle.dumps(fixed))):  # noqa: S301
        assert one.headers(59) == fixed.headers(59)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_a_client_file_that_is_no_file_is_refused_and_nothing_waits_for_it(tmp_path: Path) -> None:
    """Opening a pipe waits for a writer, and so would the event loop of whoever sends a request."""
    pipe, path = tmp_path / "pipe", tmp_path / "c.json"
    os.mkfifo(pipe)
    found: list[Exception] = []

    def read() -> None:
        for place in (pipe, tmp_path, Path(os.devnull)):
            try:
                TotpCredentials.from_file(place)
            except CredentialsError as error:
                found.append(error)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    reader.join(20)
    assert len(found) == 3
    followed = TotpCredentials.from_file(written(path, {"version": 1, "agents": {"billing": entry()}}))
    path.unlink()
    os.mkfifo(path)
    time.sleep(0.6)
    follower = threading.Thread(target=lambda: found.append(followed.current()), daemon=True)  # type: ignore[arg-type]
    follower.start()
    follower.join(20)
    assert len(found) == 4
