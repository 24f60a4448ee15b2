import { Option } from 'commander'
import { TOTPError } from '../core/errors.js'
import { parseRfc3339 } from '../core/instant.js'
import { parseHttpUrl } from '../core/url.js'
import {
  algorithms,
  digitCounts,
  longestPeriod,
  profileRules,
  replayPolicies,
  shortestPeriod,
  widestWindow,
} from '../core/profile.js'

const choices = new WeakMap<Option, readonly string[]>()

/** The words that an option takes, for shells to complete; none where it takes anything. */
export const wordsOf = (option: Option): readonly string[] => choices.get(option) ?? []

/** An option whose value must be one of a few words. Unlike commander's `choices`, its error never echoes the value. */
export function choice(flags: string, description: string, words: readonly string[]): Option {
  const option = new Option(flags, `${description} (${words.join(', ')})`)
  choices.set(option, words)
  return option.argParser((value) => {
    if (words.includes(value)) return value
    throw new TOTPError('ERR_USAGE', `${option.long ?? flags} must be one of ${words.join(', ')}`)
  })
}

/** An option whose value is a whole number in a range. */
export function wholeNumber(flags: string, description: string, least: number, most: number): Option {
  const option = new Option(flags, description)
  return option.argParser((value) => {
    const number = /^[0-9]{1,9}$/.test(value) ? Number(value) : NaN
    if (number >= least && number <= most) return number
    throw new TOTPError('ERR_USAGE', `${option.long ?? flags} must be a whole number, ${least} to ${most}`)
  })
}

/** What a peer's codes are made of; a store's profile has these and more. */
export const codeOptions = (): Option[] => [
  choice('--algorithm <name>', 'hash inside the HMAC', algorithms).argParser(
    upperCase('--algorithm', algorithms),
  ),
  wholeNumber('--digits <n>', 'length of a code, 6 to 8', digitCounts[0], digitCounts[2]),
  wholeNumber(
    '--period <seconds>',
    `how long a code lives, ${shortestPeriod} to ${longestPeriod}`,
    shortestPeriod,
    longestPeriod,
  ),
]

export const profileOptions = (): Option[] => [
  ...codeOptions(),
  wholeNumber(
    '--window <steps>',
    `time steps accepted on either side, 0 to ${widestWindow}`,
    0,
    widestWindow,
  ),
  new Option('--header <name>', 'header that carries the code').argParser((value) => {
    if (profileRules.header.allows(value)) return value
    throw new TOTPError('ERR_USAGE', `--header must be ${profileRules.header.expected}`)
  }),
]

export const replayOption = (): Option =>
  choice(
    '--replay <policy>',
    'whether a code is good for one request or for as long as it lives',
    replayPolicies,
  )

function upperCase(flag: string, choices: readonly string[]): (value: string) => string {
  return (value) => {
    const upper = value.toUpperCase()
    if (choices.includes(upper)) return upper
    throw new TOTPError('ERR_USAGE', `${flag} must be one of ${choices.join(', ')}`)
  }
}

/**
 * Reads a point in time: RFC 3339, or unix seconds.
 *
 * @throws {TOTPError} `ERR_USAGE` for anything else, days that do not exist and times before 1970 included.
 */
export function parseTime(text: string): Date {
  const at = /^\d{1,12}(\.\d+)?$/.test(text) ? new Date(Number(text) * 1000) : parseRfc3339(text)
  if (at && at.getTime() >= 0) return at
  throw new TOTPError('ERR_USAGE', '--at must be a time such as 2026-03-01T12:00:00Z, or unix seconds')
}

/**
 * Checks an address that somebody gave. One with a user name in it is none: no command line is a place for a password.
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
 * Checks that at most one of these options was given.
 *
 * @param given the options' values, by name
 * @throws {TOTPError} `ERR_USAGE` with the names of two of them
 */
export function refuseTogether(given: Readonly<Record<string, unknown>>): void {
  const [one, other] = Object.keys(given).filter((name) => given[name] !== undefined)
  if (one !== undefined && other !== undefined)
    throw new TOTPError('ERR_USAGE', `${one} and ${other} do not go together; leave one out`)
}
