import { status, type ServerInterceptor } from '@grpc/grpc-js'
import { endWithCaller } from '../scheme/granted-caller.js'
import type { Tied } from '../scheme/leases.js'
import type { Caller } from '../scheme/outcome.js'

/**
 * A stream that ends once its caller's credentials do: with UNAUTHENTICATED, which tells a client to come again with
 * others, and for the handler as if the client had cancelled.
 */
export class EndingCall implements Tied {
  readonly #call: Parameters<ServerInterceptor>[1]
  #over = false
  /** Whether it was ended here. A handler may not know yet, and a message after the status would be an error. */
  ended = false
  #release = (): void => undefined

  constructor(call: Parameters<ServerInterceptor>[1]) {
    this.#call = call
  }

  tieTo(caller: Caller): void {
    this.#release = endWithCaller(caller, this)
    if (this.#over) this.#release()
  }

  /** The call is over, however it ended. */
  release(): void {
    this.#over = true
    this.#release()
  }

  isOver(): boolean {
    return this.#over
  }

  end(): void {
    if (this.#over) return
    this.ended = true
    this.#call.sendStatus({
      code: status.UNAUTHENTICATED,
      details: 'the credentials that opened this stream are no longer valid',
    })
  }
}
