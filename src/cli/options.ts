import { durationRule, parseDuration } from '../core/duration.js'
import type { Command } from 'commander'
import { TOTPError } from '../core/errors.js'
import { isWritable, parseRfc3339 } from '../core/instant.js'
import { parseHttpUrl } from '../core/url.js'
import { completing, plainWords } from './completes.js'
import { notOneOf, suggestion } from './suggestions.js'
import {
  algorithms,
  digitCounts,
  longestPeriod,
  profileRules,
  replayPolicies,
  shortestPeriod,
  widestWindow,
} from '../core/profile.js'
import { signedPolicies } from '../core/proof/profile.js'

/**
 * The arguments of commander's `option`: flags, description, and a parser of the value. Unlike commander's own errors,
 * those of the parser never quote the value.
 */
type Definition<Parser> = [flags: string, description: string, parser: Parser]

/**
 * An option whose value must be one of a few words.
 *
 * @param about what each word is, for shells that show it
 */
export function choice(
  flags: string,
  description: string,
  words: readonly string[],
  normalize = (value: string): string => value,
  about: (word: string) => string = () => '',
): Definition<(value: string) => string> {
  const parse = (value: string): string => {
    const word = normalize(value)
    if (words.includes(word)) return word
    throw notOneOf(nameIn(flags), value, words)
  }
  const offers = words.map((word) => ({ word, description: about(word) }))
  return [flags, `${description} (${words.join(', ')})`, completing(parse, { words: () => offers })]
}

/** Adds an option that takes several words, as its flags show them: `--for <method> <url>`. All words up to the next option are its. */
export function severalWords(command: Command, flags: string, description: string): Command {
  const option = command.createOption(flags, description)
  option.variadic = true
  return command.addOption(option)
}

/** The arguments of commander's `option` for one that may be repeated, each time with one value. */
export function repeatable(
  flags: string,
  description: string,
): Definition<(value: string, before?: readonly string[]) => string[]> {
  return [flags, description, (value, before = []) => [...before, value]]
}

/** An option whose value is a list of words, separated by commas, each of them once. */
export function someOf(
  flags: string,
  description: string,
  words: readonly string[],
): Definition<(value: string) => string[]> {
  const parse = (value: string): string[] => {
    const given = value.split(',')
    const wrong = given.length !== new Set(given).size || given.some((word) => !words.includes(word))
    if (!wrong) return given
    const question = suggestion(
      given.filter((word) => !words.includes(word)),
      words,
    )
    throw new TOTPError(
      'ERR_USAGE',
      `${nameIn(flags)} must be some of ${words.join(',')}, each once${question === undefined ? '' : `; ${question}`}`,
    )
  }
  return [
    flags,
    `${description} (${words.join(',')})`,
    completing(parse, { ...plainWords(words), list: true }),
  ]
}

/** An option whose value is a whole number in a range. */
export function wholeNumber(
  flags: string,
  description: string,
  least: number,
  most: number,
): Definition<(value: string) => number> {
  const parse = (value: string): number => {
    const number = /^[0-9]{1,9}$/.test(value) ? Number(value) : NaN
    if (number >= least && number <= most) return number
    throw new TOTPError('ERR_USAGE', `${nameIn(flags)} must be a whole number, ${least} to ${most}`)
  }
  return [flags, description, parse]
}

/** An option whose value is a duration such as `24h`, in milliseconds. */
export function duration(flags: string, description: string): Definition<(value: string) => number> {
  const parse = (value: string): number => {
    const ms = parseDuration(value)
    if (ms !== undefined) return ms
    throw new TOTPError('ERR_USAGE', `${nameIn(flags)} must be ${durationRule}`)
  }
  return [flags, description, parse]
}

/** `--digits <n>` is `--digits`. */
const nameIn = (flags: string): string => flags.replace(/ .*/, '')

/** Adds the options that decide how a peer's codes are made. A store's profile has these and more. */
export const codeOptions = (command: Command): Command =>
  command
    .option(...choice('--algorithm <name>', 'hash inside the HMAC', algorithms, (name) => name.toUpperCase()))
    .option(...wholeNumber('--digits <n>', 'length of a code, 6 to 8', digitCounts[0], digitCounts[2]))
    .option(
      ...wholeNumber(
        '--period <seconds>',
        `lifetime of a code, ${shortestPeriod} to ${longestPeriod}`,
        shortestPeriod,
        longestPeriod,
      ),
    )

export const profileOptions = (command: Command): Command =>
  codeOptions(command)
    .option(
      ...wholeNumber(
        '--window <steps>',
        `time steps accepted before and after the current one, 0 to ${widestWindow}`,
        0,
        widestWindow,
      ),
    )
    .option('--header <name>', 'header that carries the code', (value) => {
      if (profileRules.header.allows(value)) return value
      throw new TOTPError('ERR_USAGE', `--header must be ${profileRules.header.expected}`)
    })

export const replayOption = (command: Command): Command =>
  command.option(
    ...choice(
      '--replay <policy>',
      'whether a code is valid for one request or for its whole lifetime',
      replayPolicies,
    ),
  )

export const signedOption = (command: Command): Command =>
  command.option(
    ...choice(
      '--signed <policy>',
      'proofs: ignored, only reported, checked where there is one, or demanded',
      signedPolicies,
    ),
  )

/** An option whose value is a point in time: RFC 3339, or unix seconds. */
export function time(flags: string, description: string): Definition<(value: string) => Date> {
  const parse = (value: string): Date => {
    const at = parseInstant(value)
    if (at) return at
    throw new TOTPError(
      'ERR_USAGE',
      `${nameIn(flags)} must be a time such as 2026-03-01T12:00:00Z, or unix seconds`,
    )
  }
  return [flags, description, parse]
}

/** An option whose value is a point in time or a duration from now on, which the result is given to. */
export function deadline(flags: string, description: string): Definition<(value: string) => Deadline> {
  const parse = (value: string): Deadline => {
    const at = parseInstant(value)
    const ms = at ? undefined : parseDuration(value)
    if (!at && ms === undefined)
      throw new TOTPError(
        'ERR_USAGE',
        `${nameIn(flags)} must be a time such as 2026-03-01T12:00:00Z, unix seconds, or a duration such as 90d`,
      )
    return (now) => {
      const end = at ?? new Date(now.getTime() + (ms ?? 0))
      if (end.getTime() > now.getTime()) return end
      throw new TOTPError('ERR_USAGE', `${nameIn(flags)} is in the past; name a time to come`)
    }
  }
  return [flags, description, parse]
}

/** @throws {TOTPError} `ERR_USAGE` when it has passed */
export type Deadline = (now: Date) => Date

/** An option whose value is a point in time or a duration until now, which the result is given to. */
export function since(flags: string, description: string): Definition<(value: string) => Since> {
  const parse = (value: string): Since => {
    const at = parseInstant(value)
    const ms = at ? undefined : parseDuration(value)
    if (at || ms !== undefined) return (now) => at ?? new Date(now.getTime() - (ms ?? 0))
    throw new TOTPError(
      'ERR_USAGE',
      `${nameIn(flags)} must be a time such as 2026-03-01T12:00:00Z, unix seconds, or a duration such as 7d`,
    )
  }
  return [flags, description, parse]
}

export type Since = (now: Date) => Date

/** Undefined for anything else, including dates that do not exist and times before 1970. */
function parseInstant(text: string): Date | undefined {
  const at = /^\d{1,12}(\.\d+)?$/.test(text) ? new Date(Number(text) * 1000) : parseRfc3339(text)
  return at && at.getTime() >= 0 && isWritable(at) ? at : undefined
}

/**
 * Checks an http(s) URL from the command line. A URL with a user name is refused: passwords do not belong there.
 *
 * @param what says which, `--url` for example
 * @throws {TOTPError} `ERR_USAGE`
 */
export function requireHttpUrl(what: string, text: string): string {
  const url = parseHttpUrl(text)
  if (url && !url.username && !url.password) return text
  throw new TOTPError('ERR_USAGE', `${what} must be an http or https URL without a user name in it`)
}

/**
 * Checks that at most one of several options is given.
 *
 * @param given the values, by option name
 * @throws {TOTPError} `ERR_USAGE` with the names of two of them
 */
export function refuseTogether(given: Readonly<Record<string, unknown>>): void {
  const [one, other] = Object.keys(given).filter((name) => given[name] !== undefined)
  if (one !== undefined && other !== undefined)
    throw new TOTPError('ERR_USAGE', `${one} and ${other} cannot be used together; omit one`)
}
