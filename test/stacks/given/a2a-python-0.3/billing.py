"""What the reader of the page has: an executor. It answers with the caller's name and text, in a task."""

from a2a.server.agent_execution import AgentExecutor, RequestContext
from a2a.server.events import EventQueue
from a2a.server.tasks import TaskUpdater
from a2a.types import Part, TextPart
from a2a.utils import new_task


class Billing(AgentExecutor):
    """Runs behind the guard only."""

    async def execute(self, context: RequestContext, event_queue: EventQueue) -> None:
        """Done at once."""
        task = context.current_task or new_task(context.message)
        await event_queue.enqueue_event(task)
        updater = TaskUpdater(event_queue, task.id, task.context_id)
        text = f"{context.call_context.user.user_name} said: {context.get_user_input()}"
        await updater.add_artifact([Part(root=TextPart(text=text))])
        await updater.complete()

    async def cancel(self, context: RequestContext, event_queue: EventQueue) -> None:
        """Nothing runs long enough."""
