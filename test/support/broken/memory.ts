import type { Socket } from 'node:net'
import type { Quirks, Seen } from '../broken-agent.js'
import { fails, guesses, hasSixDigits, isLive, type Circumstances, type Defect } from './defect.js'

const knows = ({ successes, authorization }: Seen): boolean => successes.tokens.has(authorization[0] ?? '')

const hasCookie = ({ cookies }: Seen): boolean => cookies.some((line) => line.includes('session=open'))

const setCookie: Quirks['admitted'] = (_, __, response) =>
  response.setHeader('Set-Cookie', 'session=open; Path=/; HttpOnly')

const underOnce: Defect['options'] = ({ credentials }) => ({
  credentials: { ...credentials, replay: 'once' },
})

/** Agents that remember a success for too much, or a used code for too little. */
export function memoryDefects({ peers }: Circumstances): Defect[] {
  const live = isLive(peers)
  return [
    {
      name: 'remembers each used code, and not that older ones are spent',
      quirks: { once: true, spentAt: (_, { codes }) => codes.join() },
      options: underOnce,
      cells: (cell) => cell === 'jsonrpc 1.0',
      named: fails('replay'),
    },
    {
      name: 'accepts any six digits with a token once it was seen with the right ones',
      quirks: { waves: (_, seen) => live(seen) && knows(seen) && hasSixDigits(seen) },
      named: fails(...guesses, 'auth.after-valid'),
    },
    {
      name: 'trusts a connection once it carried a success',
      quirks: { waves: (_, seen) => seen.successes.connections.has(seen.connection) },
      named: fails('auth.after-valid'),
    },
    {
      name: 'trusts a session whose cookie it set after a success',
      quirks: {
        waves: (_, seen) => hasCookie(seen),
        admitted: setCookie,
      },
      named: fails('auth.after-valid'),
      httpOnly: true,
    },
    {
      name: 'asks a device whose cookie it set after a success for no code',
      quirks: {
        waves: (_, seen) => hasCookie(seen) && live(seen) && seen.codes.length === 0,
        admitted: setCookie,
      },
      named: fails('auth.after-valid'),
      httpOnly: true,
    },
    {
      name: 'accepts any six digits of a device whose cookie it set after a success',
      quirks: {
        waves: (_, seen) => hasCookie(seen) && live(seen) && hasSixDigits(seen),
        admitted: setCookie,
      },
      named: fails('auth.after-valid'),
      httpOnly: true,
    },
    {
      name: 'trusts an address once a success came from it',
      quirks: { waves: (_, { successes }) => successes.tokens.size > 0 },
      named: fails('auth.after-valid'),
    },
    {
      name: 'trusts a token without a code once it was seen with one',
      quirks: { waves: (_, seen) => seen.codes.length === 0 && knows(seen) },
      named: fails('auth.after-valid'),
    },
    {
      name: 'does not look at the form of a code once a token was seen with a right one',
      quirks: { waves: (_, seen) => knows(seen) && seen.codes.length === 1 && !hasSixDigits(seen) },
      named: fails('auth.after-valid'),
    },
    {
      name: 'accepts a code twice, though the policy is once',
      quirks: {},
      options: underOnce,
      named: fails('replay'),
    },
    {
      name: 'remembers a used code for each cell apart',
      quirks: { once: true, spentAt: ({ binding, version }) => `${binding} ${version}` },
      options: underOnce,
      // Nothing was used anywhere else when the first cell is called.
      cells: (cell) => cell !== 'jsonrpc 1.0',
      named: fails('replay'),
    },
    {
      name: 'remembers a used code for each connection apart',
      quirks: { once: true, spentAt: connectionIds() },
      options: underOnce,
      named: fails('replay'),
    },
    {
      name: 'takes anything for a code with a token once it was seen with a right one',
      quirks: { waves: (_, seen) => live(seen) && seen.codes.length === 1 && knows(seen) },
      // What is malformed, and what is no code at all, is let in only after a success.
      named: fails('auth.after-valid'),
    },
  ]
}

function connectionIds(): (call: unknown, seen: Seen) => string {
  const ids = new WeakMap<Socket, string>()
  let last = 0
  return (_, { connection }) => {
    const id = ids.get(connection) ?? String(++last)
    ids.set(connection, id)
    return id
  }
}
