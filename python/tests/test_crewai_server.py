"""crewAI takes the server scheme as it is; runs where crewAI is installed."""

import asyncio
import copy
import json
import pickle
import time
from typing import Any

import pytest

pytest.importorskip("crewai")

from crewai.a2a.auth import SimpleTokenAuth
from crewai.a2a.auth.server_schemes import HTTPException, ServerAuthScheme  # type: ignore[attr-defined]
from crewai.a2a.config import A2AServerConfig
from deciding import AT, FILE, TOKEN, Agent
from pydantic import SecretStr

from a2a_totp.codes import code_of_step
from a2a_totp.crewai import TOTPServerAuthScheme
from a2a_totp.profile import Profile
from a2a_totp.scheme import Caller, PeerSeed, SeedSet
from a2a_totp.scheme import TOTPServerAuthScheme as PlainScheme
from a2a_totp.state import MemoryState

SEED, KEY = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", b"12345678901234567890"
SECRETS = ("bearer-token", SEED, KEY.decode())


def design(kind: Any = TOTPServerAuthScheme, **changes: Any) -> Any:
    """The design's example, with one token and a seed that is long enough."""
    options = {
        "delegate": SimpleTokenAuth(token="bearer-token"),  # noqa: S106
        "peer_seeds": {"mrpink": SEED},
        "token_to_peer": {"bearer-token": "mrpink"},
    }
    return kind(**{**options, **changes})


def code() -> str:
    """Of now."""
    return code_of_step(KEY, Profile(), int(time.time() // 30))


def status_of(scheme: Any, token: str, sent: str | None) -> int:
    """What crewAI's form says; 200 for a user."""
    try:
        asyncio.run(scheme.authenticate_with_totp(token, sent))
    except HTTPException as error:
        return int(error.status_code)
    return 200


def test_it_is_one_of_crewai_s_schemes_and_checks_both_factors() -> None:
    """As in the design, and with seeds of any kind."""
    for seed in (SEED, SecretStr(SEED), KEY, SeedSet([PeerSeed(SEED)]), {"seeds": [SEED]}):
        scheme = design(peer_seeds={"mrpink": seed})
        assert isinstance(A2AServerConfig(auth=scheme).auth, ServerAuthScheme)
        user = asyncio.run(scheme.authenticate_with_totp("bearer-token", code()))
        assert (user.scheme, user.token, user.claims) == ("totp", "bearer-token", {"sub": "mrpink"})
        for token, sent in (("bearer-token", None), ("bearer-token", "000000"), ("other", code()), ("", code())):
            assert status_of(scheme, token, sent) == 401


def test_the_plain_scheme_takes_crewai_s_delegates() -> None:
    """By their own method."""
    scheme = design(PlainScheme)
    assert isinstance(asyncio.run(scheme.authenticate_with_totp("bearer-token", code())), Caller)
    assert asyncio.run(scheme.authenticate_with_totp("other", code())).reason == "token-refused"


def test_the_design_s_example_is_refused_for_its_weak_seeds_with_the_way_round_it() -> None:
    """And no error quotes one."""
    weak = {"mrpink": "JBSWY3DPEHPK3PXP", "charlie": "KZQW6ZTBNFXHG33N"}
    tokens = {"bearer-token-mrpink": "mrpink", "bearer-token-charlie": "charlie"}
    with pytest.raises(ValueError, match=r"80 bits.*allow_weak_seeds") as caught:
        design(peer_seeds=weak, token_to_peer=tokens)
    assert "JBSW" not in str(caught.value)
    assert "bearer-token" not in str(caught.value)
    design(peer_seeds=weak, token_to_peer=tokens, allow_weak_seeds=True)


def test_a_token_alone_is_never_enough() -> None:
    """crewAI's own method is one factor."""
    scheme = TOTPServerAuthScheme(authenticator=Agent().scheme)
    with pytest.raises(HTTPException) as caught:
        asyncio.run(scheme.authenticate(TOKEN))
    assert caught.value.status_code == 401
    assert caught.value.headers == {
        "www-authenticate": 'Bearer realm="a2a", error="invalid_token", TOTP realm="a2a", header="X-TOTP"'
    }
    right = code_of_step(b"\x01" * 20, Profile(), int(AT // 30))
    assert asyncio.run(scheme.authenticate_with_totp(TOKEN, right)).claims == {"sub": "alice"}


def test_a_copy_of_a_config_shares_what_was_spent() -> None:
    """crewAI copies agents and their configs."""
    # A state that was given has a lock, which cannot be copied.
    scheme = design(replay="once", state=MemoryState(since=0))
    config = A2AServerConfig(auth=scheme)
    copies = [config.model_copy(deep=True), config.model_copy(), copy.deepcopy(config)]
    sent = code()
    assert status_of(copies[0].auth, "bearer-token", sent) == 200
    assert [status_of(one.auth, "bearer-token", sent) for one in (config, *copies)] == [401] * 4


def test_a_pickle_is_a_new_scheme() -> None:
    """Of the same options; with no state, so under `once` it knows nothing of the time before."""
    again = pickle.loads(pickle.dumps(design()))  # noqa: S301
    assert again.authenticator is not design().authenticator
    assert status_of(again, "bearer-token", code()) == 200
    assert status_of(pickle.loads(pickle.dumps(design(replay="once"))), "bearer-token", code()) == 503  # noqa: S301


def test_it_prints_and_serialises_no_secret() -> None:
    """Wherever it is shown."""
    scheme = design(canaries=({"name": "bait", "token": "bait-token"},))
    config = A2AServerConfig(auth=scheme)
    shown = [repr(scheme), str(scheme), repr(config), str(scheme.model_dump()), config.model_dump_json()]
    for secret in (*SECRETS, "bait-token"):
        assert all(secret not in text for text in shown)


def test_without_seeds_it_follows_the_server_file(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """That of the environment, or the given one; what is missing is a ValueError."""
    (tmp_path / "server.json").write_text(json.dumps(FILE))
    assert TOTPServerAuthScheme(file=str(tmp_path / "server.json")).authenticator.agent == "vectors"
    monkeypatch.setenv("A2A_TOTP_SERVER_FILE", str(tmp_path / "server.json"))
    assert TOTPServerAuthScheme().authenticator.agent == "vectors"
    monkeypatch.delenv("A2A_TOTP_SERVER_FILE")
    with pytest.raises(ValueError, match="A2A_TOTP_SERVER_FILE"):
        TOTPServerAuthScheme()
    with pytest.raises(ValueError, match="no seeds"):
        TOTPServerAuthScheme(token_to_peer={"bearer-token": "mrpink"})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"replay": "once", "signed": "require"}, "replay, signed cannot be given where the server file decides"),
        ({"token_to_peer": {"bearer-token": "mrpink"}}, "token_to_peer cannot be given"),
        ({"canaries": ()}, "canaries cannot be given"),
    ],
)
def test_what_a_server_file_decides_cannot_be_given_beside_it(given: Any, said: str, tmp_path: Any) -> None:
    """It would be ignored in silence."""
    file = tmp_path / "server.json"
    file.write_text(json.dumps(FILE))
    file.chmod(0o600)
    assert TOTPServerAuthScheme(file=str(file)).authenticator
    with pytest.raises(ValueError, match=said):
        TOTPServerAuthScheme(file=str(file), **given)


def test_a_file_beside_seeds_is_refused() -> None:
    """One of both would be ignored."""
    with pytest.raises(ValueError, match="file cannot be given where seeds are given"):
        design(file="server.json")
