import type { CodeProfile } from '../../core/profile.js'
import type { Seed } from '../../core/seed.js'
import { seedSpellings, tokenSpellings } from '../../core/spellings.js'
import { printable } from '../../core/text.js'
import { generateCodeOfStep, timeStepAt } from '../../core/totp.js'
import type { ProbeOptions } from '../options.js'
import { shortened } from '../wire/text.js'
import { Fragments } from './fragments.js'

/** Digits that could be a code: 6 to 8 of them, not part of a longer number. */
const codeLike = /(?<!\d)\d{6,8}(?!\d)/g

/** Digits after the point of a number, such as those of a second: one of many of them is a valid code by accident. */
const isFraction = (text: string, at: number): boolean => /\d\.$/.test(text.slice(Math.max(at - 2, 0), at))

/** Whitespace and control characters. */
const gaps = /[^!-\uffff]+/g

/** Steps on either side of now whose codes are kept out of a report. */
const redactedSteps = 10

/** One spelling of a secret, in small letters. */
interface Word {
  readonly what: string
  readonly value: string
  readonly fragments: Fragments
}

/** The secrets of a run: finds them in answers, and keeps them out of reports. */
export class Secrets {
  readonly #words: readonly Word[]
  readonly #owners: readonly Owner[]
  readonly #window: number
  readonly #sent = new Set<string>()

  constructor({ credentials, otherPeer }: Pick<ProbeOptions, 'credentials' | 'otherPeer'>) {
    const owners = otherPeer ? [credentials, otherPeer] : [credentials]
    this.#owners = owners.map(ownerOf)
    this.#window = credentials.window
    const seeds = owners.flatMap(({ seed }) => spellings(seed))
    this.#words = [
      ...wordsOf('the token', tokenSpellings(credentials.token.value)),
      ...(otherPeer?.token ? wordsOf('a token', tokenSpellings(otherPeer.token.value)) : []),
      ...wordsOf('a seed', seeds),
    ]
  }

  /** Keeps a value that was sent out of the report. */
  remember(code: string): void {
    this.#sent.add(code)
  }

  /**
   * The kind of secret that a text contains at an instant, if any, escapes, whitespace and dashes in it or not. The decimals
   * of a number are no code by themselves: see {@link decimalsIn}.
   */
  foundIn(text: string, at: Date): string | undefined {
    const plain = unescaped(text)
    const word = this.#wordIn(plain)
    if (word !== undefined) return word
    return this.#codesIn(plain, at).some((one) => !one.isFraction) ? 'a valid code' : undefined
  }

  /** The decimals in a text that are a valid code at an instant, which shows something where several answers have them. */
  decimalsIn(text: string, at: Date): string[] {
    const found = this.#codesIn(unescaped(text), at).filter((one) => one.isFraction)
    return [...new Set(found.map(({ digits }) => digits))]
  }

  #codesIn(text: string, at: Date): { readonly digits: string; readonly isFraction: boolean }[] {
    return Array.from(text.matchAll(codeLike), ({ 0: digits, index }) => ({
      digits,
      isFraction: isFraction(text, index),
    })).filter(({ digits }) => this.#isCodeAround(at, this.#window, digits))
  }

  #wordIn(text: string): string | undefined {
    const lower = text.toLowerCase()
    const joined = lower.replace(gaps, '')
    const forms = [lower, joined, joined.replaceAll('-', '')]
    return this.#words.find(({ value }) => forms.some((form) => form.includes(value)))?.what
  }

  /** A text as a report may show it: without secrets and control characters, and cut at a limit. */
  clean(text: string, at: Date, limit?: number): string {
    return shortened(printable(this.without(text, at)), limit)
  }

  /** A text without secrets, and without parts of them. */
  without(text: string, at: Date): string {
    const plain = unescaped(text)
    let result = this.#wordIn(plain) === undefined ? text : plain
    for (const { what, fragments } of this.#words) result = fragments.replaceIn(result, `[${what}]`)
    const hidden = this.#wordIn(result)
    if (hidden !== undefined) return `[a text that contains ${hidden}]`
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

/** Shorter than this, what is encoded stands in texts by accident. */
const shortest = 16

function wordsOf(what: string, [own = '', ...others]: readonly string[]): Word[] {
  const values = [own, ...others.filter(({ length }) => length >= shortest)].map((one) => one.toLowerCase())
  return [...new Set(values)].map((value) => ({ what, value, fragments: new Fragments(value) }))
}

function spellings(seed: Seed): string[] {
  const bytes = Buffer.from(seed.bytes)
  const base64 = bytes.toString('base64').replace(/=+$/, '')
  return [...seedSpellings(seed), base64, bytes.toString('base64url')]
}

/** A text with the characters that it has as escapes of JSON, also of JSON inside JSON. */
const unescaped = (text: string): string =>
  text
    .replace(/\\+u([0-9a-f]{4})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replace(/\\+\//g, '/')
