"""Who called, and whose a task and a conversation are, to a2a-sdk 0.3 behind the guard."""

import asyncio
from typing import Any

import grpc
import pytest
from a2a.auth.user import UnauthenticatedUser
from a2a.auth.user import User as SdkUser
from a2a.grpc import a2a_pb2, a2a_pb2_grpc
from a2a.server.agent_execution import AgentExecutor, RequestContext
from a2a.server.apps import A2AFastAPIApplication, A2ARESTFastAPIApplication, A2AStarletteApplication
from a2a.server.context import ServerCallContext
from a2a.server.events import EventQueue
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.request_handlers.grpc_handler import GrpcHandler
from a2a.server.tasks import InMemoryTaskStore
from a2a.types import AgentCard, Task, TaskState, TaskStatus
from a2a.utils.errors import ServerError
from owners import PATIENCE, called, credentials, scheme

from a2a_totp.a2a import PeerExecutor, PeerTaskStore
from a2a_totp.asgi import TOTPMiddleware
from a2a_totp.grpc.guard import totp_interceptor
from a2a_totp.scheme.key import CALLER_KEY

CARD = AgentCard.model_validate(
    {
        "name": "owners",
        "description": "Finishes at once.",
        "version": "1.0.0",
        "url": "http://localhost/",
        "capabilities": {"streaming": True},
        "defaultInputModes": ["text/plain"],
        "defaultOutputModes": ["text/plain"],
        "skills": [{"id": "work", "name": "Work", "description": "Works.", "tags": ["test"]}],
    }
)


class Work(AgentExecutor):
    """Makes a task, and remembers for whom."""

    def __init__(self) -> None:
        self.contexts: list[Any] = []

    @property
    def callers(self) -> list[str]:
        """Who made it run."""
        return [context.user.user_name for context in self.contexts]

    async def execute(self, context: RequestContext, event_queue: EventQueue) -> None:
        """Runs behind the guard only."""
        self.contexts.append(context.call_context)
        status = TaskStatus(state=TaskState.completed)
        await event_queue.enqueue_event(Task(id=context.task_id, context_id=context.context_id, status=status))

    async def cancel(self, context: RequestContext, event_queue: EventQueue) -> None:
        """Nothing runs long enough."""


MESSAGE = {"messageId": "m", "role": "user", "parts": [{"kind": "text", "text": "work"}]}
REST_MESSAGE = {"messageId": "m", "role": "ROLE_USER", "content": [{"text": "work"}]}


def jsonrpc(method: str, **params: Any) -> tuple[str, str, Any]:
    """A request over JSON-RPC."""
    return "POST", "/", {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


@pytest.mark.parametrize("store", [InMemoryTaskStore, PeerTaskStore])
@pytest.mark.parametrize("app_kind", [A2AStarletteApplication, A2AFastAPIApplication, A2ARESTFastAPIApplication])
def test_the_middleware_names_the_caller_and_a_store_for_each_peer_keeps_them_apart(app_kind: Any, store: Any) -> None:
    """The SDK's own store knows no owners: who knows the id of a task reads it."""
    rest = app_kind is A2ARESTFastAPIApplication

    async def run() -> None:
        work = Work()
        app = app_kind(CARD, DefaultRequestHandler(work, store())).build()
        app.add_middleware(TOTPMiddleware, scheme=scheme())

        async def ask(peer: str, method: str, path: str, body: Any) -> Any:
            async with called(app, method, path, body, credentials(peer)) as answer:
                return await answer.content()

        send = (
            ("POST", "/v1/message:send", {"request": REST_MESSAGE})
            if rest
            else jsonrpc("message/send", message=MESSAGE)
        )
        made = await ask("alice", *send)
        task = (made["task"] if rest else made["result"])["id"]
        assert work.callers == ["alice"]
        get = ("GET", f"/v1/tasks/{task}", None) if rest else jsonrpc("tasks/get", id=task)
        hers, his = await ask("alice", *get), await ask("bob", *get)
        assert (hers if rest else hers["result"])["id"] == task
        assert (his == hers) == (store is InMemoryTaskStore)

    asyncio.run(run())


def test_the_interceptor_alone_names_the_caller() -> None:
    """Over gRPC the SDK's own builder would report nobody."""

    async def run() -> None:
        work = Work()
        server = grpc.aio.server(interceptors=[totp_interceptor(scheme())])
        a2a_pb2_grpc.add_A2AServiceServicer_to_server(
            GrpcHandler(CARD, DefaultRequestHandler(work, PeerTaskStore())), server
        )
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        try:
            async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
                stub = a2a_pb2_grpc.A2AServiceStub(channel)

                async def ask(peer: str, method: str, message: Any) -> Any:
                    return await getattr(stub, method)(message, metadata=credentials(peer), timeout=PATIENCE)

                part = a2a_pb2.Part(text="work")
                message = a2a_pb2.Message(message_id="m", role=a2a_pb2.ROLE_USER, content=[part])
                task = (await ask("alice", "SendMessage", a2a_pb2.SendMessageRequest(request=message))).task.id
                assert work.callers == ["alice"]
                assert work.contexts[0].state[CALLER_KEY].peer == "alice"
                get = a2a_pb2.GetTaskRequest(name=f"tasks/{task}")
                assert (await ask("alice", "GetTask", get)).id == task
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    await ask("bob", "GetTask", get)
                assert caught.value.code() == grpc.StatusCode.NOT_FOUND
        finally:
            await server.stop(None)

    asyncio.run(run())


def begun(peer: str | None, conversation: str) -> RequestContext:
    """A message of a peer, as the SDK hands it to an executor."""
    user = UnauthenticatedUser() if peer is None else User(peer)
    return RequestContext(context_id=conversation, task_id="t", call_context=ServerCallContext(user=user))


class User(SdkUser):
    """As a guard reports it."""

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def is_authenticated(self) -> bool:
        """It is."""
        return True

    @property
    def user_name(self) -> str:
        """The peer's."""
        return self._name


async def is_let_in(executor: PeerExecutor, peer: str, conversation: str) -> bool:
    """Whether the peer may go on with the conversation."""
    try:
        await executor.execute(begun(peer, conversation), EventQueue())
    except ServerError as refused:
        assert refused.error is not None
        assert refused.error.code == -32602
        return False
    return True


def test_a_conversation_belongs_to_the_peer_that_began_it() -> None:
    """Those of bob make nobody forget one of alice's."""

    async def run() -> None:
        work = Work()
        executor = PeerExecutor(work, most=2)
        assert await is_let_in(executor, "alice", "hers")
        assert not await is_let_in(executor, "bob", "hers")
        assert work.callers == ["alice"]
        for number in range(5):
            assert await is_let_in(executor, "bob", f"his {number}")
        assert not await is_let_in(executor, "bob", "hers")
        # The oldest of her own goes, and not the one that she used last.
        for conversation in ("another", "hers", "a third"):
            assert await is_let_in(executor, "alice", conversation)
        assert not await is_let_in(executor, "bob", "hers")
        assert await is_let_in(executor, "bob", "another")

    asyncio.run(run())


def test_a_call_that_no_guard_let_in_has_neither_tasks_nor_conversations() -> None:
    """Not even those of other such calls."""

    async def run() -> None:
        work, store = Work(), PeerTaskStore()
        for context in (None, ServerCallContext()):
            with pytest.raises(RuntimeError, match="no guard let this call in"):
                await store.get("t", context)
        with pytest.raises(RuntimeError, match="no guard let this call in"):
            await PeerExecutor(work).execute(begun(None, "c"), EventQueue())
        assert work.contexts == []

    asyncio.run(run())


def test_a_store_is_made_once_for_each_peer_by_its_name() -> None:
    """So that a database can have a table for each."""

    async def run() -> None:
        made: list[str] = []

        def make(peer: str) -> InMemoryTaskStore:
            made.append(peer)
            return InMemoryTaskStore()

        store = PeerTaskStore(make)
        alice, bob = (ServerCallContext(user=User(name)) for name in ("alice", "bob"))
        task = Task(id="t", context_id="c", status=TaskStatus(state=TaskState.completed))
        await store.save(task, alice)
        await store.delete("t", bob)
        assert await store.get("t", alice) == task
        assert await store.get("t", bob) is None
        await store.delete("t", alice)
        assert await store.get("t", alice) is None
        assert made == ["alice", "bob"]

    asyncio.run(run())
