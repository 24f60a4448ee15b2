import * as v from 'valibot'
import { durationRule, parseDuration } from '../../core/duration.js'
import { parseKeptInstant } from '../../core/instant.js'
import { isName, nameRule } from '../../core/name.js'
import {
  profileRules,
  replayPolicies,
  replayRule,
  type ReplayPolicy,
  type TOTPProfile,
} from '../../core/profile.js'
import { signedPolicies, signedRule, type SignedPolicy } from '../../core/proof/profile.js'
import { parseHttpUrl } from '../../core/url.js'
import { oneOf } from '../../core/words.js'

const allowed = <T>({ allows, expected }: { allows: (value: unknown) => boolean; expected: string }) =>
  v.custom<T>(allows, `must be ${expected}`)

const field = <K extends keyof TOTPProfile>(name: K) =>
  v.exactOptional(allowed<TOTPProfile[K]>(profileRules[name]))

/** A text that a parser accepts, parsed. */
const parsed = <T>(parse: (given: string) => T | undefined, expected: string) =>
  v.pipe(
    v.string(`must be ${expected}`),
    v.rawTransform<string, T>(({ dataset, addIssue, NEVER }) => {
      const value = parse(dataset.value)
      if (value !== undefined) return value
      addIssue({ message: `must be ${expected}` })
      return NEVER
    }),
  )

export const name = allowed<string>({
  allows: (value) => typeof value === 'string' && isName(value),
  expected: nameRule,
})

const text = allowed<string>({
  allows: (value) => typeof value === 'string' && value.trim() !== '',
  expected: 'a text',
})
const optionalText = v.exactOptional(text)

/** No system call takes a NUL, and nobody sees another control character in a list. */
const isPlain = (value: unknown, allowedToo: RegExp): value is string =>
  typeof value === 'string' && value.trim() !== '' && !/\p{Cc}/u.test(value.replace(allowedToo, ''))

const path = v.exactOptional(
  allowed<string>({
    allows: (value) => isPlain(value, /(?!)/) && !value.startsWith('~'),
    expected: 'the path of a file, in full or relative to the mesh file; no shell expands a ~ here',
  }),
)
const command = v.exactOptional(
  allowed<string>({
    allows: (value) => isPlain(value, /[\n\t]/g),
    expected: 'a command for /bin/sh without control characters',
  }),
)
const duration = v.exactOptional(parsed(parseDuration, durationRule))
const replay = allowed<ReplayPolicy>(replayRule)
const signed = allowed<SignedPolicy>(signedRule)
const orInherit = <W extends string>(words: readonly W[]) =>
  allowed<W | 'inherit'>(oneOf([...words, 'inherit']))

const codes = { algorithm: field('algorithm'), digits: field('digits'), period: field('period') }
const ages = { overlap: duration, rotateAfter: duration }
const ofAgents = {
  ...{ replay: v.exactOptional(replay), signed: v.exactOptional(signed), ...codes, ...ages },
  ...{ window: field('window'), header: field('header') },
}
const expires = v.union(
  [v.literal('never'), parsed(parseKeptInstant, '')],
  'must be an RFC 3339 time such as 2027-01-01T00:00:00Z, or never',
)
const ofEdges = {
  replay: v.exactOptional(orInherit(replayPolicies)),
  signed: v.exactOptional(orInherit(signedPolicies)),
  ...codes,
  ...ages,
  note: optionalText,
  expires: v.exactOptional(expires),
}

// Unknown keys are looked for apart, so that the nearest known one can be named.

export const defaultsSchema = v.object({
  ...ofAgents,
  serverFile: path,
  clientFile: path,
})

function isUrl(value: unknown): boolean {
  const parsedUrl = typeof value === 'string' ? parseHttpUrl(value) : undefined
  return parsedUrl?.username === '' && parsedUrl.password === ''
}
const urlRule = 'an http or https URL without a user name in it'
// `mesh init` leaves it empty where the store has none.
const url = v.custom<string>(isUrl, ({ input }) =>
  input === null || input === '' ? `is empty; expected ${urlRule}` : `must be ${urlRule}`,
)

const names = v.array(name, 'must be a list of names')
const texts = v.array(text, 'must be a list of texts')

export const agentSchema = v.object({
  url,
  store: path,
  deliver: command,
  serverFile: path,
  canaries: v.exactOptional(names),
  allowHosts: v.exactOptional(texts),
  ...ofAgents,
})

export const callSchema = v.object({ agent: name, ...ofEdges })

export const peerSchema = v.object({
  // `calls:` with nothing behind it is a peer that calls none.
  calls: v.nullable(v.array(v.unknown(), 'must be a list of agents'), []),
  deliver: command,
  clientFile: path,
  ...ofEdges,
})
