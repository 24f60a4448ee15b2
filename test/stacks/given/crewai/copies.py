"""What copies of crewAI's configs, as it makes them itself, still do. Prints a line for each try to get in."""

import asyncio
import os

from a2a_totp.crewai import TOTPClientAuthScheme, TOTPServerAuthScheme
from a2a_totp.state import MemoryState
from crewai.a2a.auth.server_schemes import HTTPException
from crewai.a2a.config import A2AClientConfig, A2AServerConfig


async def main() -> None:
    """The same code by a copy, and by the original."""
    # A state that began long ago: under `once` a new one refuses codes that may have been spent before it.
    server = A2AServerConfig(auth=TOTPServerAuthScheme(state=MemoryState(since=0)))
    client = A2AClientConfig(endpoint=os.environ["A2A_TOTP_URL"], auth=TOTPClientAuthScheme())
    code = client.model_copy(deep=True).auth.code()
    for config in (server.model_copy(deep=True), server):
        try:
            user = await config.auth.authenticate_with_totp(os.environ["A2A_TOTP_TOKEN"], code)
        except HTTPException as refused:
            print(refused.status_code)
        else:
            print(user.claims["sub"])


asyncio.run(main())
