"""Whose a task is to a2a-sdk 1.x with nothing but the guard in front: the SDK's own builders report the caller."""

import asyncio
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from a2a.auth.user import User
from a2a.compat.v0_3 import a2a_v0_3_pb2, a2a_v0_3_pb2_grpc
from a2a.compat.v0_3.grpc_handler import CompatGrpcHandler
from a2a.server.agent_execution import AgentExecutor, RequestContext
from a2a.server.context import ServerCallContext
from a2a.server.events import EventQueue
from a2a.server.request_handlers import DefaultRequestHandler, LegacyRequestHandler
from a2a.server.request_handlers.grpc_handler import DefaultGrpcServerCallContextBuilder, GrpcHandler
from a2a.server.routes import (
    add_a2a_routes_to_fastapi,
    create_agent_card_routes,
    create_jsonrpc_routes,
    create_rest_routes,
)
from a2a.server.routes.common import StarletteUser
from a2a.server.tasks import InMemoryPushNotificationConfigStore, InMemoryTaskStore
from a2a.types import AgentCard, a2a_pb2, a2a_pb2_grpc
from fastapi import FastAPI
from google.protobuf.json_format import ParseDict
from owners import PATIENCE, called, credentials, scheme
from starlette.applications import Starlette
from starlette.authentication import AuthCredentials, AuthenticationBackend, SimpleUser
from starlette.middleware.authentication import AuthenticationMiddleware

import a2a_totp.a2a
from a2a_totp.a2a.context_builder import TOTPCallContextBuilder
from a2a_totp.asgi import TOTPMiddleware
from a2a_totp.grpc.guard import totp_interceptor
from a2a_totp.scheme.key import CALLER_KEY

CARD = ParseDict(
    {
        "name": "owners",
        "description": "Works until it is cancelled.",
        "version": "1.0.0",
        "supportedInterfaces": [
            {"url": "http://localhost/rpc", "protocolBinding": "JSONRPC", "protocolVersion": "1.0"}
        ],
        "capabilities": {"streaming": True, "pushNotifications": True},
        "defaultInputModes": ["text/plain"],
        "defaultOutputModes": ["text/plain"],
        "skills": [{"id": "work", "name": "Work", "description": "Works.", "tags": ["test"]}],
    },
    AgentCard(),
)
WORKING = a2a_pb2.TaskStatus(state=a2a_pb2.TASK_STATE_WORKING)
CANCELED = a2a_pb2.TaskStatus(state=a2a_pb2.TASK_STATE_CANCELED)


class Work(AgentExecutor):
    """Begins a task and leaves it unfinished."""

    def __init__(self) -> None:
        self.contexts: list[ServerCallContext] = []

    @property
    def callers(self) -> list[str]:
        """Who made it run."""
        return [context.user.user_name for context in self.contexts]

    async def execute(self, context: RequestContext, event_queue: EventQueue) -> None:
        """Runs behind the guard only."""
        self.contexts.append(context.call_context)
        await event_queue.enqueue_event(a2a_pb2.Task(id=context.task_id, context_id=context.context_id, status=WORKING))
        await asyncio.Event().wait()

    async def cancel(self, context: RequestContext, event_queue: EventQueue) -> None:
        """Ends it."""
        await event_queue.enqueue_event(
            a2a_pb2.TaskStatusUpdateEvent(task_id=context.task_id, context_id=context.context_id, status=CANCELED)
        )


def handler_of(kind: Any = DefaultRequestHandler) -> Any:
    """The SDK's, with the stores that it comes with."""
    return kind(
        agent_executor=Work(),
        task_store=InMemoryTaskStore(),
        agent_card=CARD,
        push_config_store=InMemoryPushNotificationConfigStore(),
    )


def starlette(**routes: Any) -> Any:
    """A Starlette app with these routes."""
    return Starlette(routes=[route for group in routes.values() for route in group])


def fastapi(**routes: Any) -> Any:
    """A FastAPI app with these routes."""
    app = FastAPI()
    add_a2a_routes_to_fastapi(app, **routes)
    return app


def app_of(style: Callable[..., Any], handler: Any, builder: Any = None) -> Any:
    """An app behind the middleware; without a builder the SDK takes its own."""
    app = style(
        agent_card_routes=create_agent_card_routes(CARD),
        jsonrpc_routes=create_jsonrpc_routes(handler, "/rpc", context_builder=builder, enable_v0_3_compat=True),
        rest_routes=create_rest_routes(handler, context_builder=builder),
    )
    app.add_middleware(TOTPMiddleware, scheme=scheme())
    return app


MESSAGE = {"message": {"messageId": "m", "role": "ROLE_USER", "parts": [{"text": "work"}]}}
NOW = {"configuration": {"returnImmediately": True}}

Ask = tuple[str, str, Any]


def jsonrpc(method: str, **params: Any) -> Ask:
    """A request over JSON-RPC."""
    return "POST", "/rpc", {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


HOOK = "https://192.0.2.2/hook"
BINDINGS: dict[str, dict[str, Callable[[str], Ask]]] = {
    "JSONRPC": {
        "send": lambda _: jsonrpc("SendMessage", **MESSAGE, **NOW),
        "list": lambda _: jsonrpc("ListTasks"),
        "get": lambda task: jsonrpc("GetTask", id=task),
        "subscribe": lambda task: jsonrpc("SubscribeToTask", id=task),
        "continue": lambda task: jsonrpc("SendMessage", message={**MESSAGE["message"], "taskId": task}, **NOW),
        "set push": lambda task: jsonrpc("CreateTaskPushNotificationConfig", taskId=task, id="p", url=HOOK),
        "get push": lambda task: jsonrpc("GetTaskPushNotificationConfig", taskId=task, id="p"),
        "list push": lambda task: jsonrpc("ListTaskPushNotificationConfigs", taskId=task),
        "delete push": lambda task: jsonrpc("DeleteTaskPushNotificationConfig", taskId=task, id="p"),
        "cancel": lambda task: jsonrpc("CancelTask", id=task),
    },
    "HTTP+JSON": {
        "send": lambda _: ("POST", "/message:send", {**MESSAGE, **NOW}),
        "list": lambda _: ("GET", "/tasks", None),
        "get": lambda task: ("GET", f"/tasks/{task}", None),
        "subscribe": lambda task: ("POST", f"/tasks/{task}:subscribe", None),
        "continue": lambda task: ("POST", "/message:send", {"message": {**MESSAGE["message"], "taskId": task}, **NOW}),
        "set push": lambda task: ("POST", f"/tasks/{task}/pushNotificationConfigs", {"id": "p", "url": HOOK}),
        "get push": lambda task: ("GET", f"/tasks/{task}/pushNotificationConfigs/p", None),
        "list push": lambda task: ("GET", f"/tasks/{task}/pushNotificationConfigs", None),
        "delete push": lambda task: ("DELETE", f"/tasks/{task}/pushNotificationConfigs/p", None),
        "cancel": lambda task: ("POST", f"/tasks/{task}:cancel", {}),
    },
}
OF_A_TASK = ["get", "subscribe", "continue", "set push", "get push", "list push", "delete push", "cancel"]
NOT_FOUND = "not found"


async def answer_to(app: Any, peer: str, ask: Ask) -> Any:
    """What a peer gets: a result, NOT_FOUND, or whatever else went wrong. Of a stream, its first event."""
    method, path, body = ask
    async with called(app, method, path, body, [("a2a-version", "1.0"), *credentials(peer)]) as answer:
        said = await answer.content()
    if answer.status == 404 or (body and said.get("error", {}).get("code") == -32001):
        return NOT_FOUND
    assert answer.status < 300, said
    assert not (isinstance(said, dict) and "error" in said), said
    return said["result"] if path == "/rpc" else said


@pytest.mark.parametrize("style", [starlette, fastapi])
@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize("kind", [DefaultRequestHandler, LegacyRequestHandler])
def test_a_task_is_its_callers_alone_behind_the_middleware_alone(
    style: Callable[..., Any], binding: str, kind: Any
) -> None:
    """Read, listed, followed, continued, watched by push and cancelled by the peer that made it, and no other."""
    asks = BINDINGS[binding]

    async def run() -> None:
        handler = handler_of(kind)
        app = app_of(style, handler)
        task = (await answer_to(app, "alice", asks["send"]("")))["task"]["id"]
        assert handler.agent_executor.callers == ["alice"]
        others = {name: await answer_to(app, "bob", asks[name](task)) for name in OF_A_TASK}
        assert others == dict.fromkeys(OF_A_TASK, NOT_FOUND)
        assert (await answer_to(app, "bob", asks["list"](""))).get("tasks", []) == []

        assert [found["id"] for found in (await answer_to(app, "alice", asks["list"]("")))["tasks"]] == [task]
        assert (await answer_to(app, "alice", asks["get"](task)))["id"] == task
        assert (await answer_to(app, "alice", asks["subscribe"](task)))["task"]["id"] == task
        assert (await answer_to(app, "alice", asks["set push"](task)))["url"] == HOOK
        # Under the name that our builder reports: it can be added, or left out, with the tasks still there.
        built = app_of(style, handler, TOTPCallContextBuilder())
        assert (await answer_to(built, "alice", asks["get push"](task)))["url"] == HOOK
        assert await answer_to(built, "bob", asks["get"](task)) == NOT_FOUND
        assert (await answer_to(built, "alice", asks["cancel"](task)))["status"]["state"] == "TASK_STATE_CANCELED"

    asyncio.run(run())


def test_protocol_0_3_over_json_rpc_has_the_same_owners() -> None:
    """Its adapter builds contexts of its own."""

    async def run() -> None:
        app = app_of(starlette, handler_of())
        task = (await answer_to(app, "alice", BINDINGS["JSONRPC"]["send"]("")))["task"]["id"]

        async def found(peer: str) -> Any:
            ask = jsonrpc("tasks/get", id=task)[2]
            async with called(app, "POST", "/rpc", ask, credentials(peer)) as answer:
                return await answer.content()

        assert (await found("alice"))["result"]["id"] == task
        assert (await found("bob"))["error"]["code"] == -32001

    asyncio.run(run())


class Everybody(AuthenticationBackend):
    """Takes every caller for the same user."""

    async def authenticate(self, conn: Any) -> Any:
        """As a backend for a website might, where peers bring no session."""
        return AuthCredentials(["website"]), SimpleUser("everybody")


def test_a_user_that_was_set_in_front_owns_no_tasks() -> None:
    """Starlette's own middleware, say: it has spoken, and the guard has the last word."""

    async def run() -> None:
        handler = handler_of()
        app = AuthenticationMiddleware(app_of(starlette, handler), Everybody())
        task = (await answer_to(app, "alice", BINDINGS["JSONRPC"]["send"]("")))["task"]["id"]
        assert handler.agent_executor.callers == ["alice"]
        assert await answer_to(app, "bob", BINDINGS["JSONRPC"]["get"](task)) == NOT_FOUND

    asyncio.run(run())


def test_a_user_that_is_set_behind_the_guard_owns_tasks_unless_our_builder_is_there() -> None:
    """The page says so: such a middleware goes in front, or our builder is given."""

    async def run() -> None:
        for builder, owner in ((None, "everybody"), (TOTPCallContextBuilder(), "alice")):
            handler = handler_of()
            routes = create_jsonrpc_routes(handler, "/rpc", context_builder=builder)
            inner = AuthenticationMiddleware(starlette(jsonrpc_routes=routes), Everybody())
            await answer_to(TOTPMiddleware(inner, scheme()), "alice", BINDINGS["JSONRPC"]["send"](""))
            assert handler.agent_executor.callers == [owner]

    asyncio.run(run())


class Grpc:
    """The SDK's services of both protocols on a real server, and calls to them."""

    def __init__(self, builder: Any = None, interceptors: Any = ()) -> None:
        self.handler = handler_of()
        self._builder, self._interceptors = builder, interceptors

    async def __aenter__(self) -> "Grpc":
        """Serves."""
        self._server = grpc.aio.server(interceptors=self._interceptors or [totp_interceptor(scheme())])
        a2a_pb2_grpc.add_A2AServiceServicer_to_server(GrpcHandler(self.handler, self._builder), self._server)
        a2a_v0_3_pb2_grpc.add_A2AServiceServicer_to_server(CompatGrpcHandler(self.handler, self._builder), self._server)
        port = self._server.add_insecure_port("127.0.0.1:0")
        await self._server.start()
        self._channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}")
        return self

    async def __aexit__(self, *_: object) -> None:
        """No longer."""
        await self._channel.close()
        await self._server.stop(None)

    async def ask(self, peer: str, method: str, message: Any, stubs: Any = a2a_pb2_grpc) -> Any:
        """What a peer gets: an answer, or a status that is not OK. Of a stream, its first message."""
        metadata = credentials(peer) + ([("a2a-version", "1.0")] if stubs is a2a_pb2_grpc else [])
        call = getattr(stubs.A2AServiceStub(self._channel), method)(message, metadata=metadata, timeout=PATIENCE)
        try:
            return await (call.read() if hasattr(call, "read") else call)
        except grpc.aio.AioRpcError as error:
            return error.code()
        finally:
            call.cancel()


SEND = ParseDict({**MESSAGE, **NOW}, a2a_pb2.SendMessageRequest())


def of_a_task(task: str) -> dict[str, Any]:
    """Every method that names a task, with a message for it; the last one ends the task."""
    push = {"task_id": task, "id": "p"}
    return {
        "GetTask": a2a_pb2.GetTaskRequest(id=task),
        "SubscribeToTask": a2a_pb2.SubscribeToTaskRequest(id=task),
        "SendMessage": ParseDict({"message": {**MESSAGE["message"], "taskId": task}}, a2a_pb2.SendMessageRequest()),
        "CreateTaskPushNotificationConfig": a2a_pb2.TaskPushNotificationConfig(url=HOOK, **push),
        "GetTaskPushNotificationConfig": a2a_pb2.GetTaskPushNotificationConfigRequest(**push),
        "ListTaskPushNotificationConfigs": a2a_pb2.ListTaskPushNotificationConfigsRequest(task_id=task),
        "DeleteTaskPushNotificationConfig": a2a_pb2.DeleteTaskPushNotificationConfigRequest(**push),
        "CancelTask": a2a_pb2.CancelTaskRequest(id=task),
    }


def test_a_task_is_its_callers_alone_behind_the_interceptor_alone() -> None:
    """Over gRPC the SDK's own builder would report nobody."""

    async def run() -> None:
        async with Grpc() as server:
            task = (await server.ask("alice", "SendMessage", SEND)).task.id
            assert server.handler.agent_executor.callers == ["alice"]
            assert server.handler.agent_executor.contexts[0].state[CALLER_KEY].peer == "alice"
            asks = of_a_task(task)
            others = {method: await server.ask("bob", method, message) for method, message in asks.items()}
            assert others == dict.fromkeys(asks, grpc.StatusCode.NOT_FOUND)
            assert list((await server.ask("bob", "ListTasks", a2a_pb2.ListTasksRequest())).tasks) == []
            old = ("GetTask", a2a_v0_3_pb2.GetTaskRequest(name=f"tasks/{task}"), a2a_v0_3_pb2_grpc)
            assert await server.ask("bob", *old) == grpc.StatusCode.NOT_FOUND
            assert (await server.ask("alice", *old)).id == task

            listed = await server.ask("alice", "ListTasks", a2a_pb2.ListTasksRequest())
            assert [found.id for found in listed.tasks] == [task]
            assert (await server.ask("alice", "GetTask", asks["GetTask"])).id == task
            assert (await server.ask("alice", "SubscribeToTask", asks["SubscribeToTask"])).task.id == task
            # The same name as over HTTP, and as with our builder.
            app = app_of(starlette, server.handler, TOTPCallContextBuilder())
            assert (await answer_to(app, "alice", BINDINGS["JSONRPC"]["get"](task)))["id"] == task
            assert (await server.ask("alice", "CancelTask", asks["CancelTask"])).status.state == CANCELED.state

    asyncio.run(run())


class Tenant(DefaultGrpcServerCallContextBuilder):
    """A builder of somebody else's, which names a user itself."""

    def build_user(self, context: Any) -> User:
        """One for all."""
        return StarletteUser(SimpleUser("tenant"))


class Wrapped:
    """A context that is another's."""

    def __init__(self, context: Any) -> None:
        self._context = context

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)


class Replacing(grpc.aio.ServerInterceptor):
    """Hands another context to the service, as some that trace do."""

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        """For the methods with one message and one answer."""
        handler = await continuation(handler_call_details)

        async def call(request: Any, context: Any) -> Any:
            return await handler.unary_unary(request, Wrapped(context))

        return grpc.unary_unary_rpc_method_handler(call, handler.request_deserializer, handler.response_serializer)


class Idle(grpc.aio.ServerInterceptor):
    """Guards nothing."""

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        """Passes on."""
        return await continuation(handler_call_details)


@pytest.mark.parametrize(
    ("builder", "interceptors", "callers"),
    [
        (None, lambda: [totp_interceptor(scheme())], ["alice"]),
        (TOTPCallContextBuilder(), lambda: [totp_interceptor(scheme())], ["alice"]),
        (Tenant(), lambda: [totp_interceptor(scheme())], ["tenant"]),
        (None, lambda: [Replacing(), totp_interceptor(scheme())], ["alice"]),
        (None, lambda: [totp_interceptor(scheme()), Replacing()], []),
        (None, lambda: [Idle()], [""]),
        (TOTPCallContextBuilder(), lambda: [Idle()], []),
    ],
    ids=[
        "alone",
        "builder",
        "builder of theirs",
        "replaced in front",
        "replaced behind",
        "no guard",
        "forgotten guard",
    ],
)
def test_who_the_grpc_context_names(builder: Any, interceptors: Any, callers: list[str]) -> None:
    """The peer, unless a builder says otherwise; and a call whose peer is lost on the way is no call."""

    async def run() -> None:
        # So that it has been made, whichever of these tests runs.
        totp_interceptor(scheme())
        async with Grpc(builder, interceptors()) as server:
            answer = await server.ask("alice", "SendMessage", SEND)
            assert server.handler.agent_executor.callers == callers
            assert (answer == grpc.StatusCode.UNKNOWN) == (not callers)

    asyncio.run(run())


def test_the_wrappers_of_the_older_line_say_that_they_are_for_that() -> None:
    """Stores of this one have owners."""
    with pytest.raises(ImportError, match=r"are for a2a-sdk 0\.3"):
        a2a_totp.a2a.PeerTaskStore  # noqa: B018
