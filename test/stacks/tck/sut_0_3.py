"""What the kit's branch 0.3.x is run against: its own agent on a2a-sdk 0.3. `$A2A_TCK` is the checkout.

Guarded if there is a server file.
"""

import os
import sys

from a2a.server.apps import A2AStarletteApplication
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.tasks import InMemoryTaskStore
from a2a.types import AgentCard, Task
from a2a_totp.asgi import TOTPMiddleware
from a2a_totp.scheme import TOTPServerAuthScheme

# The kit's executor is for an older release, whose fields had the names of the wire.
Task.contextId = property(lambda task: task.context_id)  # type: ignore[attr-defined]

sys.path.insert(0, f"{os.environ['A2A_TCK']}/python-sut/tck_core_agent")
from agent_executor import TckCoreAgentExecutor  # noqa: E402 - found only now

card = AgentCard.model_validate(
    {
        "protocolVersion": "0.3.0",
        "name": "tck",
        "description": "The agent of the kit.",
        "version": "1.0.0",
        "url": f"{os.environ['PUBLIC_URL']}/",
        "capabilities": {"streaming": True},
        "defaultInputModes": ["text"],
        "defaultOutputModes": ["text"],
        "skills": [
            {
                "id": "tck",
                "name": "TCK",
                "description": "Answers the cases.",
                "tags": ["tck"],
            }
        ],
    }
)
app = A2AStarletteApplication(card, DefaultRequestHandler(TckCoreAgentExecutor(), InMemoryTaskStore())).build()
if "A2A_TOTP_SERVER_FILE" in os.environ:
    app.add_middleware(TOTPMiddleware, scheme=TOTPServerAuthScheme.from_file())
