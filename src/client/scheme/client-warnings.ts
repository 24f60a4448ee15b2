import { durationText } from '../../core/clock-difference.js'
import type { SignedPolicy } from '../../core/proof/profile.js'
import { minimumSeedBits, type Seed } from '../../core/seed.js'
import type { SignMode } from './request-signer.js'

/** What a client says about what it saw, each once. Nothing that it sends depends on it. */
export class ClientWarnings {
  readonly #emit: (message: string, code: string) => void
  readonly #emitted = new Set<string>()

  constructor(onWarning: ((message: string) => void) | undefined) {
    this.#emit = onWarning ?? emitWarning
  }

  ofWeakSeed({ bits }: Seed): void {
    this.#once(
      `the seed has ${bits} bits, RFC 4226 requires at least ${minimumSeedBits}; ask its issuer for a longer one`,
      'A2A_TOTP_SEED_WEAK',
    )
  }

  /** Each time: another change may be wrong in the same way. */
  ofFile(message: string): void {
    this.#emit(message, 'A2A_TOTP_CLIENT_FILE')
  }

  ofClock(differenceMs: number): void {
    this.#once(
      `the agent refused a code, and this machine's clock is ${durationText(differenceMs)} ${differenceMs > 0 ? 'ahead of' : 'behind'} the agent's; set it by NTP`,
      'A2A_TOTP_CLOCK',
    )
  }

  /** @param signed whether the refused request was signed */
  ofOnce(signed: boolean): void {
    const proofs = signed ? ', also that of a signed request' : ''
    this.#once(
      `the agent accepts each code only once${proofs}; set replay: 'once', so that each request waits for a code of its own`,
      'A2A_TOTP_REPLAY_ONCE',
    )
  }

  ofMissingProof({ signs, sign }: { readonly signs: boolean; readonly sign: SignMode }): void {
    const otherwise =
      sign === 'never' ? "set sign: 'auto'" : "pass the agent's name as agent (A2A_TOTP_AGENT)"
    const remedy = signs
      ? 'send it through totpTransports, totpFetch or totpGrpcInterceptor, with a body that is text or bytes'
      : otherwise
    this.#once(
      `the agent refused a request that was not signed, and says that it requires signed ones; ${remedy}`,
      'A2A_TOTP_PROOF_REQUIRED',
    )
  }

  ofIgnoredProof(policy: SignedPolicy | undefined): void {
    this.#once(
      `the agent refused the code of a signed request as spent, so it does not use proofs, although signed is ${policy}; set signed to its policy`,
      'A2A_TOTP_PROOF_IGNORED',
    )
  }

  #once(message: string, code: string): void {
    if (this.#emitted.has(code)) return
    this.#emitted.add(code)
    this.#emit(message, code)
  }
}

function emitWarning(message: string, code: string): void {
  process.emitWarning(message, { type: 'SecurityWarning', code })
}
