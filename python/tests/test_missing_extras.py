"""A program without an extra learns what to install."""

import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = str(Path(__file__).parents[1] / "src")
CREDENTIALS = "from a2a_totp.credentials import TotpCredentials; c = TotpCredentials('token', 'A' * 32); "


@pytest.mark.parametrize(
    ("module", "extra", "statement"),
    [
        ("httpx", "a2a", "from a2a_totp.httpx import TOTPAuth"),
        ("a2a", "a2a", CREDENTIALS + "from a2a_totp.a2a import TOTPInterceptor; TOTPInterceptor(c)"),
        (
            "grpc",
            "grpc",
            "from a2a_totp.grpc import totp_interceptor; from a2a_totp.scheme import TOTPServerAuthScheme; "
            "totp_interceptor(TOTPServerAuthScheme(None, {'a': 'A' * 32}, {'token': 'a'}))",
        ),
        (
            "grpc",
            "grpc",
            CREDENTIALS
            + "from a2a_totp.grpc import totp_client_interceptors; totp_client_interceptors(c, 'localhost:1')",
        ),
        (
            "grpc",
            "grpc",
            CREDENTIALS + "from a2a_totp.grpc import totp_channel_factory; totp_channel_factory(c)('localhost:1')",
        ),
        (
            "grpc",
            "grpc",
            CREDENTIALS + "from a2a_totp.grpc import totp_sync_client_interceptor as of; of(c, 'localhost:1')",
        ),
        ("crewai", "crewai", "from a2a_totp.crewai import TOTPServerAuthScheme"),
        ("httpx", "crewai", "from a2a_totp.crewai import TOTPClientAuthScheme"),
        ("jwt", "jwt", "from a2a_totp.scheme import JWTAuth; JWTAuth(issuer='i', audience='a', key=b'k')"),
    ],
)
def test_the_error_names_the_extra(module: str, extra: str, statement: str) -> None:
    """In its last line, and nothing of ours is around it."""
    absent = "class Absent:\n def find_spec(self, name, *_):\n  if name.partition('.')[0] in names: raise error(name)\n"
    hide = (
        f"import sys\nsys.path.insert(0, {SOURCE!r})\nnames = {{'httpx', 'a2a', 'grpc', 'crewai', 'jwt'}}\n"
        f"error = lambda name: ModuleNotFoundError(f'No module named {{name!r}}', name=name)\n{absent}"
        "sys.meta_path.insert(0, Absent())\n"
    )
    program = [sys.executable, "-c", hide + statement]
    run = subprocess.run(program, check=False, capture_output=True, text=True, timeout=120)  # noqa: S603
    last = run.stderr.strip().splitlines()[-1]
    assert last.endswith(f"No module named '{module}'; install it with pip install 'a2a-totp[{extra}]'")
    assert "During handling" not in run.stderr
