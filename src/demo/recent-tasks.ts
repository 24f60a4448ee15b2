import { InMemoryTaskStore, type ServerCallContext, type TaskStore } from '@a2a-js/sdk/server'

type Task = Parameters<TaskStore['save']>[0]
type ListRequest = Parameters<TaskStore['list']>[0]
type ListResponse = Awaited<ReturnType<TaskStore['list']>>

/** More than a client that tries the demo asks for again. */
const mostTasks = 1000

/**
 * The newest tasks of all callers: each caller sees its own. The SDK's store keeps every task for good, and each message to
 * the demo makes one.
 */
export class RecentTasks implements TaskStore {
  /** By owner and id, the oldest first. */
  readonly #tasks = new Map<string, { readonly task: Task; readonly owner: string }>()
  readonly #most: number

  constructor(most = mostTasks) {
    this.#most = most
  }

  save(task: Task, context: ServerCallContext): Promise<void> {
    const owner = ownerIn(context)
    this.#tasks.set(`${owner} ${task.id}`, { task: structuredClone(task), owner })
    const [oldest] = this.#tasks.keys()
    if (this.#tasks.size > this.#most && oldest !== undefined) this.#tasks.delete(oldest)
    return Promise.resolve()
  }

  load(taskId: string, context: ServerCallContext): Promise<Task | undefined> {
    return Promise.resolve(structuredClone(this.#tasks.get(`${ownerIn(context)} ${taskId}`)?.task))
  }

  /** Filters, order and pages are the SDK's. */
  async list(params: ListRequest, context: ServerCallContext): Promise<ListResponse> {
    const own = new InMemoryTaskStore()
    for (const { task, owner } of this.#tasks.values()) {
      if (owner === ownerIn(context)) await own.save(task, context)
    }
    return own.list(params, context)
  }
}

/** JSON keeps tenant and name apart, whatever they are. */
const ownerIn = ({ tenant = '', user }: ServerCallContext): string =>
  JSON.stringify([tenant, user?.userName ?? ''])
