import { endWithCaller } from '../scheme/granted-caller.js'
import type { Tied } from '../scheme/leases.js'
import type { Caller } from '../scheme/outcome.js'

/** Answers of these types are made whole. Passed on as they are, they keep the shortcuts that servers have for them. */
const whole = /^(application\/([\w.-]+\+)?json|text\/html) *(;|$)/i

/**
 * The same response, whose body fails once its caller's credentials end: to its reader, a part must not look like the
 * whole.
 *
 * @returns the response itself if it has no body that could stay open
 */
export function endingWithCaller(caller: Caller, response: Response): Response {
  if (whole.test(response.headers.get('content-type') ?? '') || !response.body) return response
  return new Response(
    new ReadableStream(new EndingBody(caller, response.body), { highWaterMark: 0 }),
    response,
  )
}

/** Takes hold of the body when it is first read: if the response is dropped, another may still use the body. */
class EndingBody implements Tied {
  readonly #caller: Caller
  readonly #body: ReadableStream<Uint8Array>
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined
  #release = (): void => undefined
  #over = false

  constructor(caller: Caller, body: ReadableStream<Uint8Array>) {
    this.#caller = caller
    this.#body = body
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    const reader = (this.#reader ??= this.#body.getReader())
    if (!this.#controller) {
      this.#controller = controller
      this.#release = endWithCaller(this.#caller, this)
    }
    try {
      const { done, value } = await reader.read()
      if (this.#over) return
      if (!done) {
        controller.enqueue(value)
        return
      }
    } catch (error) {
      this.#finish()
      throw error
    }
    this.#finish()
    controller.close()
  }

  cancel(reason: unknown): Promise<void> {
    this.#finish()
    return (this.#reader ?? this.#body).cancel(reason)
  }

  isOver(): boolean {
    return this.#over
  }

  end(reason: unknown): void {
    this.#finish()
    this.#controller?.error(reason)
    this.#reader?.cancel(reason).catch(() => undefined)
  }

  #finish(): void {
    this.#over = true
    this.#release()
  }
}
