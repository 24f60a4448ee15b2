import type { ServerResponse } from 'node:http'
import { generateCode } from '../../src/core/totp.js'
import { defaultProfile } from '../../src/core/profile.js'
import {
  owners,
  refuse,
  sendJson,
  single,
  type AgentPeer,
  type Quirks,
  type Reason,
  type Seen,
} from './broken-agent.js'
import type { Call } from './agent-protocol.js'
import { cardDefects, warns, type Defect } from './broken-cards.js'

/** What the defects need to know of the agent that has them. */
export interface Circumstances {
  readonly peers: readonly AgentPeer[]
  readonly now: () => Date
}

const fails = (...ids: string[]): Defect['named'] => Object.fromEntries(ids.map((id) => [id, 'fail']))

const guesses = ['auth.wrong-code', 'auth.expired-code', 'auth.future-code', 'auth.cross-peer']
const first = (lines: readonly string[]): string | undefined => lines[0]

/** Agents with one defect each. Where one defect shows in several ways, all of them are listed. */
export const defects = ({ peers, now }: Circumstances): Defect[] => {
  const live = ({ authorization }: Seen): boolean =>
    authorization.length === 1 && peers.some(({ token }) => authorization[0] === `Bearer ${token}`)
  const reasons = (edit: (response: ServerResponse, reason: Reason) => void): Quirks => ({
    refuse: (response, reason) => {
      edit(response, reason)
      return response.writableEnded
    },
  })
  return [
    {
      name: 'checks nothing',
      quirks: { waves: () => true },
      named: fails(
        'auth.none',
        'auth.bearer-only',
        'auth.totp-only',
        ...guesses,
        'auth.malformed-code',
        'auth.duplicate-header',
        'auth.wrong-token',
        'auth.stream',
        'auth.doors',
      ),
    },
    {
      name: 'checks the token only',
      quirks: { waves: (_, seen) => live(seen) },
      named: fails(
        'auth.bearer-only',
        ...guesses,
        'auth.malformed-code',
        'auth.duplicate-header',
        'auth.stream',
        'auth.doors',
      ),
    },
    {
      name: 'lets calls without a code in, as if the second factor were optional',
      quirks: { waves: (_, seen) => live(seen) && seen.codes.length === 0 },
      named: fails('auth.bearer-only', 'auth.stream', 'auth.doors'),
    },
    {
      name: 'lets callers without any credentials in as guests',
      quirks: {
        waves: (call, seen) =>
          call.operation === 'get' && [...seen.authorization, ...seen.codes].length === 0,
      },
      named: fails('auth.none'),
    },
    {
      name: 'does not need a token',
      quirks: {
        waves: (_, seen) => seen.authorization.length === 0 && seen.codes[0] === codeOf(peers[0], now()),
      },
      named: fails('auth.totp-only'),
    },
    {
      name: 'does not look whether the token is known',
      quirks: { peersOf: (token) => (token === undefined ? [] : peers.slice(0, 1)) },
      named: fails('auth.wrong-token'),
    },
    {
      name: 'accepts any six digits',
      quirks: {
        waves: (_, seen) => live(seen) && seen.codes.length === 1 && /^\d{6}$/.test(seen.codes[0] ?? ''),
      },
      // Wrong codes are sent after a success only, so it might have been the success that opened the door.
      named: fails(...guesses, 'auth.after-valid'),
    },
    {
      name: 'accepts any six digits with a token once it was seen with the right ones',
      quirks: {
        waves: (_, seen) =>
          live(seen) &&
          seen.successes.tokens.has(seen.authorization[0] ?? '') &&
          seen.codes.length === 1 &&
          /^\d{6}$/.test(seen.codes[0] ?? ''),
      },
      named: fails(...guesses, 'auth.after-valid'),
    },
    {
      name: 'accepts one fixed code beside the real ones',
      quirks: {
        waves: (_, seen) => live(seen) && seen.codes.length === 1 && isWrong(seen.codes[0], peers, now()),
      },
      named: fails('auth.wrong-code', 'auth.after-valid'),
    },
    {
      name: 'accepts codes of the last ten minutes',
      quirks: { drifts: Array.from({ length: 22 }, (_, index) => 1 - index) },
      named: fails('auth.expired-code'),
    },
    {
      name: 'accepts codes of the next ten minutes',
      quirks: { drifts: Array.from({ length: 22 }, (_, index) => index - 1) },
      named: fails('auth.future-code'),
    },
    {
      name: "accepts any peer's code with any token",
      quirks: { peersOf: (token) => (owners(token, peers).length > 0 ? peers : []) },
      named: fails('auth.cross-peer'),
    },
    ...(
      [
        ['trims more than HTTP does', (code) => code.trim()],
        ['drops blanks within', (code) => code.replaceAll(' ', '')],
        ['reads codes as numbers', (code) => String(Number(code)).padStart(6, '0')],
        ['takes the first six digits', (code) => /\d{6}/.exec(code)?.[0]],
        ['splits lists', (code) => code.split(',')[0]],
        [
          'normalises digits of other scripts',
          (code) => Buffer.from(code, 'latin1').toString().normalize('NFKC'),
        ],
      ] satisfies [string, (code: string) => string | undefined][]
    ).map(([name, read]) => ({
      name,
      quirks: { pickCode: (lines: readonly string[]) => read(single(lines) ?? '') },
      named: fails('auth.malformed-code'),
    })),
    ...(
      [
        ['takes the first of two codes', { pickCode: first }],
        ['takes the last of two codes', { pickCode: (lines) => lines.at(-1) }],
        ['takes the first of two tokens', { pickToken: first }],
        ['takes the last of two tokens', { pickToken: (lines) => lines.at(-1) }],
      ] satisfies [string, Quirks][]
    ).map(([name, quirks]) => ({ name, quirks, named: fails('auth.duplicate-header') })),
    {
      name: 'trusts a connection once it carried a success',
      quirks: { waves: (_, seen) => seen.successes.connections.has(seen.connection) },
      named: fails('auth.after-valid'),
    },
    {
      name: 'trusts a token without a code once it was seen with one',
      quirks: {
        waves: (_, seen) => seen.codes.length === 0 && seen.successes.tokens.has(seen.authorization[0] ?? ''),
      },
      named: fails('auth.after-valid'),
    },
    {
      name: 'does not look at the form of a code once a token was seen with a right one',
      quirks: {
        waves: (_, seen) =>
          seen.successes.tokens.has(seen.authorization[0] ?? '') &&
          seen.codes.length === 1 &&
          !/^\d{6}$/.test(seen.codes[0] ?? ''),
      },
      named: fails('auth.after-valid'),
    },
    {
      name: 'wants some code on streams, and takes any',
      quirks: {
        waves: (call, seen) => call.operation === 'subscribe' && live(seen) && seen.codes.length === 1,
      },
      named: fails('auth.stream'),
    },
    {
      name: 'forgets the guard on streams',
      quirks: { waves: (call) => call.operation === 'subscribe' },
      named: fails('auth.stream'),
    },
    {
      name: 'opens a stream to anyone and stays silent',
      quirks: {
        answers: (response, { operation }) => {
          if (operation !== 'subscribe') return false
          response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write(': welcome\n\n')
          return true
        },
      },
      named: fails('auth.stream'),
    },
    ...(['send', 'cancel', 'push', 'card'] as const).map((operation) => ({
      name: `forgets the guard on the method "${operation}"`,
      quirks: { waves: (call: Call) => call.operation === operation },
      named: fails('auth.doors'),
    })),
    {
      name: 'does without a code where messages are sent',
      quirks: { waves: (call, seen) => call.operation === 'send' && live(seen) && seen.codes.length === 0 },
      named: fails('auth.doors'),
    },
    {
      name: 'refuses everyone',
      quirks: { peersOf: () => [] },
      named: fails('auth.valid', 'coverage'),
    },
    {
      name: 'reads the code from another header',
      quirks: { header: 'X-OTP' },
      named: fails('auth.valid', 'coverage'),
    },
    {
      name: 'wants "Bearer" spelled just so',
      quirks: { pickToken: (lines) => (lines[0]?.startsWith('Bearer ') ? single(lines) : undefined) },
      named: warns('auth.valid'),
    },
    {
      name: 'answers with an error of its own where a task is missing',
      quirks: {
        answers: (response, call, seen) => {
          if (!live(seen) || call.operation !== 'get' || !isRight(seen, peers, now())) return false
          sendJson(response, 400, { jsonrpc: '2.0', id: 1, error: { code: -32099, message: 'no luck' } })
          return true
        },
      },
      named: warns('auth.valid'),
    },
    { name: 'refuses without a challenge', quirks: reasons(bare(401)), named: warns('challenge') },
    { name: 'refuses with 403', quirks: reasons(bare(403)), named: warns('status') },
    { name: 'refuses with 404', quirks: reasons(bare(404)), named: warns('status') },
    { name: 'fails instead of refusing', quirks: reasons(bare(500)), named: fails('status') },
    {
      name: 'fails on a malformed code',
      quirks: reasons((response, reason) => reason === 'malformed' && bare(500)(response)),
      named: fails('status'),
    },
    {
      name: 'puts refusals into a 200',
      quirks: reasons((response) =>
        sendJson(response, 200, { jsonrpc: '2.0', id: 1, error: { code: -32001, message: 'Unauthorized' } }),
      ),
      named: warns('status'),
    },
    {
      name: 'shows a login page',
      quirks: reasons((response) =>
        response.writeHead(200, { 'Content-Type': 'text/html' }).end('<p>Please log in</p>'),
      ),
      named: warns('status'),
    },
    {
      name: 'redirects to a login page',
      quirks: reasons((response) => response.writeHead(302, { Location: 'https://login.invalid/' }).end()),
      named: warns('status'),
    },
    {
      name: 'says which of the two was wrong',
      quirks: reasons((response, reason) => {
        response.setHeader('WWW-Authenticate', 'Bearer realm="a2a"')
        sendJson(response, 401, { error: { code: 401, status: 'UNAUTHENTICATED', message: reason } })
      }),
      named: warns('uniform'),
    },
    {
      name: 'says whether the token is live when the code is missing',
      quirks: reasons((response, reason) => {
        refuse(response, reason === 'no code' ? 'no token' : reason)
      }),
      named: warns('uniform'),
    },
    ...(
      [
        ['a token', ({ token }) => token],
        ['a seed', ({ seed }) => seed.base32.toLowerCase()],
        ['a valid code', (peer) => `expected ${codeOf(peer, now())} of you`],
      ] satisfies [string, (peer: AgentPeer) => string][]
    ).map(([what, secret]) => ({
      name: `tells ${what} in its refusals`,
      quirks: reasons((response, reason) => {
        const peer = peers[0]
        if (peer) response.setHeader('X-Debug', secret(peer))
        refuse(response, reason)
      }),
      named: fails('leak'),
    })),
    {
      name: 'has a clock that is ahead, and a window to match',
      quirks: { clockOffsetMs: 60_000, drifts: [-3, -2, -1, 0] },
      named: warns('clock'),
    },
    {
      name: 'has a clock that is ahead by minutes',
      quirks: { clockOffsetMs: 150_000 },
      named: { 'auth.valid': 'fail', coverage: 'fail', clock: 'warn' },
    },
    ...cardDefects,
  ]
}

const bare =
  (status: number) =>
  (response: ServerResponse): void =>
    sendJson(response, status, { error: { code: status, message: 'no' } })

function codeOf(peer: AgentPeer | undefined, at: Date): string {
  return peer ? generateCode(peer.seed, defaultProfile, at) : ''
}

function isRight({ codes }: Seen, [peer]: readonly AgentPeer[], at: Date): boolean {
  return codes.length === 1 && codes[0] === codeOf(peer, at)
}

/** Whether no peer has that code, near now or ten minutes off. */
function isWrong(code: string | undefined, peers: readonly AgentPeer[], at: Date): boolean {
  const minutes = Array.from({ length: 61 }, (_, index) => new Date(at.getTime() + (index - 30) * 30_000))
  return (
    /^\d{6}$/.test(code ?? '') && !peers.some((peer) => minutes.some((then) => codeOf(peer, then) === code))
  )
}
