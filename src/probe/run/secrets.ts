import type { CodeProfile } from '../../core/profile.js'
import type { Seed } from '../../core/seed.js'
import { printable } from '../../core/text.js'
import { generateCodeOfStep, timeStepAt } from '../../core/totp.js'
import type { ProbeOptions } from '../options.js'
import { shortened } from '../wire/text.js'
import { Fragments } from './fragments.js'

/** Digits that could be a code: 6 to 8 of them, not part of a longer number. */
const codeLike = /(?<!\d)\d{6,8}(?!\d)/g

/** Steps on either side of now whose codes are kept out of a report. */
const redactedSteps = 10

/** The secrets of a run: finds them in answers, and keeps them out of reports. */
export class Secrets {
  readonly #words: readonly { readonly what: string; readonly value: string; readonly fragments: Fragments }[]
  readonly #owners: readonly Owner[]
  readonly #window: number
  readonly #sent = new Set<string>()

  constructor({ credentials, otherPeer }: Pick<ProbeOptions, 'credentials' | 'otherPeer'>) {
    const owners = otherPeer ? [credentials, otherPeer] : [credentials]
    this.#owners = owners.map(ownerOf)
    this.#window = credentials.window
    const seeds = owners.flatMap(({ seed }) => spellings(seed))
    this.#words = [
      wordOf('the token', credentials.token.value),
      ...(otherPeer?.token ? [wordOf('a token', otherPeer.token.value)] : []),
      ...seeds.map((spelling) => wordOf('a seed', spelling)),
    ]
  }

  /** Keeps a value that was sent out of the report. */
  remember(code: string): void {
    this.#sent.add(code)
  }

  /** The kind of secret that a text contains at an instant, if any. */
  foundIn(text: string, at: Date): string | undefined {
    const lower = text.toLowerCase()
    const word = this.#words.find(({ value }) => lower.includes(value))
    if (word) return word.what
    const valid = text.match(codeLike)?.some((digits) => this.#isCodeAround(at, this.#window, digits))
    return valid ? 'a valid code' : undefined
  }

  /** A text as a report may show it: without secrets and control characters, and cut at a limit. */
  clean(text: string, at: Date, limit?: number): string {
    return shortened(printable(this.without(text, at)), limit)
  }

  /** A text without secrets, and without parts of them. */
  without(text: string, at: Date): string {
    let result = text
    for (const { what, fragments } of this.#words) result = fragments.replaceIn(result, `[${what}]`)
    return result.replace(codeLike, (digits) =>
      this.#sent.has(digits) || this.#isCodeAround(at, redactedSteps, digits) ? '[a code]' : digits,
    )
  }

  #isCodeAround(at: Date, steps: number, digits: string): boolean {
    return this.#owners.some((owner) => {
      const now = timeStepAt(owner, at)
      for (let step = Math.max(now - steps, 0); step <= now + steps; step++) {
        if (owner.codeOf(step) === digits) return true
      }
      return false
    })
  }
}

/** An owner of codes that are kept secret. */
interface Owner extends Pick<CodeProfile, 'period'> {
  /** Computes each code once: many texts contain digits. */
  readonly codeOf: (step: number) => string
}

function ownerOf(owner: CodeProfile & { readonly seed: Seed }): Owner {
  const known = new Map<number, string>()
  return {
    period: owner.period,
    codeOf: (step) => {
      const code = known.get(step) ?? generateCodeOfStep(owner.seed, owner, step)
      known.set(step, code)
      return code
    },
  }
}

function wordOf(what: string, value: string): { what: string; value: string; fragments: Fragments } {
  return { what, value: value.toLowerCase(), fragments: new Fragments(value) }
}

function spellings(seed: Seed): string[] {
  const bytes = Buffer.from(seed.bytes)
  const base64 = bytes.toString('base64').replace(/=+$/, '')
  return [...new Set([seed.base32, bytes.toString('hex'), base64, bytes.toString('base64url')])]
}
