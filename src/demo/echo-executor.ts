import { TaskState, type Part } from '@a2a-js/sdk'
import {
  AgentEvent,
  type AgentExecutor,
  type ExecutionEventBus,
  type RequestContext,
} from '@a2a-js/sdk/server'

/** Completes each task with an artifact that repeats the text and names its sender. */
export class EchoExecutor implements AgentExecutor {
  execute(
    { taskId, contextId, userMessage, context }: RequestContext,
    bus: ExecutionEventBus,
  ): Promise<void> {
    const text = `${context.user?.userName ?? 'nobody'} said: ${textOf(userMessage.parts)}`
    bus.publish(
      AgentEvent.task({
        id: taskId,
        contextId,
        status: { state: TaskState.TASK_STATE_WORKING, message: undefined, timestamp: timestamp() },
        artifacts: [],
        history: [userMessage],
        metadata: {},
      }),
    )
    bus.publish(
      AgentEvent.artifactUpdate({
        taskId,
        contextId,
        artifact: {
          artifactId: 'echo',
          name: 'echo',
          description: '',
          parts: [textPart(text)],
          metadata: {},
          extensions: [],
        },
        append: false,
        lastChunk: true,
        metadata: {},
      }),
    )
    bus.publish(end(taskId, contextId, TaskState.TASK_STATE_COMPLETED))
    bus.finished()
    return Promise.resolve()
  }

  cancelTask(taskId: string, bus: ExecutionEventBus): Promise<void> {
    bus.publish(end(taskId, '', TaskState.TASK_STATE_CANCELED))
    bus.finished()
    return Promise.resolve()
  }
}

function end(
  taskId: string,
  contextId: string,
  state: TaskState,
): ReturnType<typeof AgentEvent.statusUpdate> {
  return AgentEvent.statusUpdate({
    taskId,
    contextId,
    status: { state, message: undefined, timestamp: timestamp() },
    metadata: {},
  })
}

function textOf(parts: readonly Part[]): string {
  return parts.map(({ content }) => (content?.$case === 'text' ? content.value : '')).join('')
}

function textPart(value: string): Part {
  return { content: { $case: 'text', value }, metadata: {}, filename: '', mediaType: 'text/plain' }
}

function timestamp(): string {
  return new Date().toISOString()
}
