import { owners, sendJson, single, type AgentPeer, type Quirks } from '../broken-agent.js'
import {
  codeOf,
  fails,
  guesses,
  hasSixDigits,
  isLive,
  isRight,
  notShown,
  warns,
  type Circumstances,
  type Defect,
} from './defect.js'

/** All that shows an agent that looks at the token alone. */
const tokenAlone = [
  'auth.bearer-only',
  ...guesses,
  'auth.malformed-code',
  'auth.duplicate-header',
  'auth.stream',
  'auth.doors',
]
const nothingDemanded = ['auth.none', 'auth.totp-only', 'auth.wrong-token', ...tokenAlone]

const first = (lines: readonly string[]): string | undefined => lines[0]

/** Agents that do without a factor, or take a wrong one for right. */
export function factorDefects({ peers, now }: Circumstances): Defect[] {
  const live = isLive(peers)
  return [
    { name: 'checks nothing', quirks: { waves: () => true }, named: fails(...nothingDemanded) },
    {
      name: 'demands nothing over REST, which is not behind the guard',
      quirks: { waves: ({ binding }) => binding === 'rest' },
      cells: (cell) => cell.startsWith('rest'),
      // gRPC comes to it through a gateway that speaks REST.
      httpOnly: true,
      named: fails(...nothingDemanded),
    },
    {
      name: 'demands nothing of clients of 0.3',
      quirks: { waves: ({ version }) => version === '0.3' },
      cells: (cell) => cell.endsWith('0.3'),
      named: fails(...nothingDemanded),
    },
    {
      name: 'checks the token only',
      quirks: { waves: (_, seen) => live(seen) },
      named: fails(...tokenAlone),
    },
    {
      name: 'checks the code of a POST only',
      quirks: { waves: ({ httpMethod }, seen) => httpMethod === 'GET' && live(seen) },
      cells: (cell) => cell.startsWith('rest'),
      // gRPC comes to it through a gateway that speaks REST.
      httpOnly: true,
      named: fails(...tokenAlone),
    },
    {
      name: 'takes one of the two factors for both',
      quirks: { waves: (_, seen) => live(seen) || isRight(seen, peers, now()) },
      named: fails('auth.totp-only', 'auth.wrong-token', ...tokenAlone),
    },
    {
      name: 'lets anyone in who sends some token',
      quirks: { waves: (_, { authorization }) => authorization.length > 0 },
      named: fails('auth.wrong-token', ...tokenAlone),
    },
    {
      name: 'lets calls without a code in, as if the second factor were optional',
      quirks: { waves: (_, seen) => live(seen) && seen.codes.length === 0 },
      named: fails('auth.bearer-only', 'auth.stream', 'auth.doors'),
    },
    {
      name: 'takes an empty code for none that is needed',
      quirks: { waves: (_, seen) => live(seen) && seen.codes.length === 1 && seen.codes[0] === '' },
      named: fails('auth.malformed-code'),
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
      name: 'asks for no token where the code is right',
      quirks: { waves: (_, seen) => isRight(seen, peers, now()) && seen.authorization.length <= 1 },
      named: fails('auth.totp-only', 'auth.wrong-token'),
    },
    {
      name: 'accepts any six digits',
      quirks: { waves: (_, seen) => live(seen) && hasSixDigits(seen) },
      // Wrong codes are sent after a success only, so it might have been the success that opened the door.
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
      name: 'accepts codes of five minutes ago, for clients that are slow',
      quirks: { drifts: [0, -1, 1, -10] },
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
    {
      name: 'has a window of five steps',
      quirks: { drifts: Array.from({ length: 11 }, (_, index) => index - 5) },
      options: () => ({ windowScan: true }),
      named: warns('window'),
    },
    ...malformedReaders,
    ...duplicateReaders,
    { name: 'refuses everyone', quirks: { peersOf: () => [] }, named: notShown },
    { name: 'reads the code from another header', quirks: { header: 'X-OTP' }, named: notShown },
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
  ]
}

const malformedReaders = (
  [
    ['trims more than HTTP does', (code) => code.trim()],
    ['drops blanks within', (code) => code.replaceAll(' ', '')],
    ['reads codes as numbers', (code) => String(Number(code)).padStart(6, '0')],
    ['takes the first six digits', (code) => /\d{6}/.exec(code)?.[0]],
    ['takes the last six digits', (code) => /\d{6}$/.exec(code)?.[0]],
    ['splits lists', (code) => code.split(',')[0]],
    ['drops quotes', (code) => code.replaceAll('"', '')],
    [
      'normalises digits of other scripts',
      (code) => Buffer.from(code, 'latin1').toString().normalize('NFKC'),
    ],
  ] satisfies [string, (code: string) => string | undefined][]
).map(([name, read]): Defect => ({
  name,
  // Metadata is ASCII.
  ...(/other scripts|more than HTTP/.test(name) && { httpOnly: true }),
  quirks: { pickCode: (lines: readonly string[]) => read(single(lines) ?? '') },
  named: fails('auth.malformed-code'),
}))

const duplicateReaders = (
  [
    ['takes the first of two codes', { pickCode: first }],
    ['takes the last of two codes', { pickCode: (lines) => lines.at(-1) }],
    ['takes two codes that are the same for one', { pickCode: (lines) => single([...new Set(lines)]) }],
    ['takes the first of two tokens', { pickToken: first }],
    ['takes the last of two tokens', { pickToken: (lines) => lines.at(-1) }],
  ] satisfies [string, Quirks][]
).map(([name, quirks]): Defect => ({
  name,
  quirks,
  named: fails('auth.duplicate-header'),
  // Node sends Authorization once only.
  ...('pickToken' in quirks && { httpOnly: true }),
}))

/** Whether no peer has that code, near now or ten minutes off. */
function isWrong(code: string | undefined, peers: readonly AgentPeer[], at: Date): boolean {
  const minutes = Array.from({ length: 61 }, (_, index) => new Date(at.getTime() + (index - 30) * 30_000))
  return (
    /^\d{6}$/.test(code ?? '') && !peers.some((peer) => minutes.some((then) => codeOf(peer, then) === code))
  )
}
