import { TOTPError } from '../../core/errors.js'
import type { TOTPServerAuthScheme } from '../../server/scheme/scheme.js'
import type { Observer } from '../sidecar.js'

export interface UncheckedOptions {
  readonly scheme: Pick<TOTPServerAuthScheme, 'readsProofs' | 'requiresProofs'>
  /** Whether a peer that must sign may be let in by the head of its proof alone. */
  readonly bodyUnchecked: boolean
  /** Whether the same gate is a reverse proxy too, where peers that must sign can call. */
  readonly hasUpstream: boolean
  readonly observer: Pick<Observer, 'event'>
  readonly now: () => Date
}

/**
 * Says what a proof is worth where no body is seen: at the start, and whenever a changed server file changes it.
 */
export class UncheckedProofs {
  readonly #options: UncheckedOptions
  #said: string | undefined

  /** @throws {TOTPError} `ERR_USAGE` if peers must sign, and could be let in nowhere */
  constructor(options: UncheckedOptions) {
    const { scheme, bodyUnchecked, hasUpstream } = options
    this.#options = options
    if (scheme.requiresProofs && !bodyUnchecked && !hasUpstream) {
      throw new TOTPError(
        'ERR_USAGE',
        'the server file has signed "require", and --authz cannot compare a body with its proof; use --upstream, or add --body-unchecked',
      )
    }
    this.look()
  }

  /** Looks at the policies in force. Called before each decision. */
  look(): void {
    const message = this.#message()
    if (message === this.#said) return
    this.#said = message
    const { observer, now } = this.#options
    if (message !== undefined) observer.event({ type: 'warning', at: now(), message })
  }

  #message(): string | undefined {
    const { scheme, bodyUnchecked, hasUpstream } = this.#options
    if (!scheme.readsProofs) return undefined
    if (!scheme.requiresProofs)
      return `signed requests are let in by the heads of their proofs alone: ${noBody}`
    if (bodyUnchecked) {
      return `--body-unchecked: peers that must sign are let in by the heads of their proofs alone: ${noBody}`
    }
    const where = hasUpstream
      ? 'call by way of --upstream'
      : 'use --upstream, or restart with --body-unchecked'
    return `peers that must sign are refused with 503 at --authz: ${noBody}; ${where}`
  }
}

const noBody = 'forward authentication sees no body to compare with its digest (proof: signed-head)'
