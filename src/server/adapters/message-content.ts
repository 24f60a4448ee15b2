import { digestOf } from '../../core/proof/digest.js'
import type { Refusal } from '../scheme/refusal.js'
import type { BodyExpectation } from '../scheme/request.js'

/**
 * The content of a call with a proof: exactly one message, which is compared before the handler gets it. A second message
 * is not signed by anything, and a call without one is another call.
 */
export class MessageContent implements BodyExpectation {
  readonly #onMismatch: (refusal: Refusal) => void
  #expected: Uint8Array | undefined
  #refuse: (() => Refusal) | undefined
  #observe: (() => void) | undefined
  #messages = 0

  /** @param onMismatch called if the content is another one */
  constructor(onMismatch: (refusal: Refusal) => void) {
    this.#onMismatch = onMismatch
  }

  expectDigest(_algorithm: 'sha-256', digest: Uint8Array, refuse: () => Refusal): undefined {
    this.#expected = digest
    this.#refuse = refuse
  }

  observeDigest(_algorithm: 'sha-256', digest: Uint8Array, mismatch: () => void): void {
    this.#expected = digest
    this.#observe = mismatch
  }

  /**
   * @param message as it was sent, uncompressed; undefined if it cannot be seen
   * @returns false if it must not reach the handler
   */
  take(message: Uint8Array | undefined): boolean {
    if (!this.#expected) return true
    this.#messages++
    const isRight =
      this.#messages === 1 && message !== undefined && digestOf('grpc', message).equals(this.#expected)
    return isRight || this.#mismatch()
  }

  /** @returns false if the end must not reach the handler */
  takeEnd(): boolean {
    return !this.#expected || this.#messages > 0 || this.#mismatch()
  }

  #mismatch(): boolean {
    if (this.#refuse) this.#onMismatch(this.#refuse())
    this.#observe?.()
    // Once is enough.
    if (this.#observe) this.#expected = undefined
    return this.#refuse === undefined
  }
}
