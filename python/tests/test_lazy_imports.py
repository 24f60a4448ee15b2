"""Nothing is imported before it is used: clients load without what they do not need."""

import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = str(Path(__file__).parents[1] / "src")


@pytest.mark.parametrize(
    ("statement", "missing"),
    [
        ("from a2a_totp.credentials import TotpCredentials", ("httpx", "a2a", "grpc", "pydantic", "crewai")),
        ("from a2a_totp.client import TOTPClientAuthScheme", ("httpx", "a2a", "grpc", "pydantic", "crewai")),
        (
            "import a2a_totp.grpc, a2a_totp.a2a, a2a_totp.crewai, a2a_totp.httpx",
            ("httpx", "a2a", "grpc", "pydantic", "crewai"),
        ),
        ("from a2a_totp.httpx import TOTPAuth, TOTPFileAuth", ("a2a", "grpc", "crewai")),
        (
            "from a2a_totp.grpc import totp_client_interceptors, totp_channel_factory",
            ("httpx", "a2a", "grpc", "crewai"),
        ),
        ("import a2a_totp.a2a.interceptor", ("a2a", "grpc", "crewai")),
    ],
)
def test_a_module_loads_without(statement: str, missing: tuple[str, ...]) -> None:
    """In a process of its own, where others were not loaded before."""
    without = "".join(f"sys.modules[{name!r}] = None; " for name in missing)
    program = f"import sys; sys.path.insert(0, {SOURCE!r}); {without}{statement}"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)  # noqa: S603
