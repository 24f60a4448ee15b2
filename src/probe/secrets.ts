import type { CodeProfile } from '../core/profile.js'
import type { Seed } from '../core/seed.js'
import { generateCodeOfStep, timeStepAt } from '../core/totp.js'
import type { ProbeOptions } from './options.js'
import { printable, shortened } from './text.js'

/** Runs of digits that could be codes: 6 to 8, not part of a longer number. */
const codeLike = /(?<!\d)\d{6,8}(?!\d)/g

/** Steps on either side of now whose codes are kept out of a report. */
const redactedSteps = 10

/** What must not be said: looks for it in answers, and keeps it out of reports. */
export class Secrets {
  readonly #words: readonly (readonly [what: string, value: string])[]
  readonly #owners: readonly (CodeProfile & { readonly seed: Seed })[]
  readonly #window: number
  readonly #sent = new Set<string>()
  readonly #codesOf = new Map<number, readonly string[]>()

  constructor({ credentials, otherPeer }: Pick<ProbeOptions, 'credentials' | 'otherPeer'>) {
    this.#owners = otherPeer ? [credentials, otherPeer] : [credentials]
    this.#window = credentials.window
    this.#words = [
      ['the token', credentials.token.value],
      ...this.#owners.flatMap(({ seed }) => spellings(seed).map((value) => ['a seed', value] as const)),
    ]
  }

  /** Keeps a code that was sent out of the report, whatever becomes of it. */
  remember(code: string): void {
    this.#sent.add(code)
  }

  /** Which secret a text gives away at an instant, if any. */
  foundIn(text: string, at: Date): string | undefined {
    const lower = text.toLowerCase()
    const word = this.#words.find(([, value]) => lower.includes(value.toLowerCase()))
    if (word) return word[0]
    const valid = this.#codesAround(at, this.#window)
    return text.match(codeLike)?.some((digits) => valid.has(digits)) ? 'a valid code' : undefined
  }

  /** A text as a report may show it: nothing secret, nothing that could harm a terminal, not too long. */
  clean(text: string, at: Date): string {
    let result = printable(text)
    for (const [what, value] of this.#words) {
      result = result.replaceAll(new RegExp(escapeForRegExp(value), 'gi'), `[${what}]`)
    }
    const codes = this.#codesAround(at, redactedSteps)
    result = result.replace(codeLike, (digits) =>
      codes.has(digits) || this.#sent.has(digits) ? '[a code]' : digits,
    )
    return shortened(result)
  }

  #codesAround(at: Date, steps: number): ReadonlySet<string> {
    const codes = new Set<string>()
    this.#owners.forEach((owner, index) => {
      const now = timeStepAt(owner, at)
      for (let step = now - steps; step <= now + steps; step++) {
        if (step >= 0) codes.add(this.#codeOf(index, step))
      }
    })
    return codes
  }

  #codeOf(index: number, step: number): string {
    const owner = this.#owners[index]
    const known = this.#codesOf.get(step) ?? []
    const code = known[index] ?? (owner ? generateCodeOfStep(owner.seed, owner, step) : '')
    this.#codesOf.set(step, Object.assign([...known], { [index]: code }))
    return code
  }
}

function spellings(seed: Seed): string[] {
  const bytes = Buffer.from(seed.bytes)
  const base64 = bytes.toString('base64').replace(/=+$/, '')
  return [...new Set([seed.base32, bytes.toString('hex'), base64, bytes.toString('base64url')])]
}

function escapeForRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&')
}
