import { refuse, sendJson, type AgentPeer } from '../broken-agent.js'
import {
  bare,
  codeOf,
  fails,
  overHttpOnly,
  warns,
  wordings,
  type Circumstances,
  type Defect,
} from './defect.js'

const rpcError = { jsonrpc: '2.0', id: 1, error: { code: -32001, message: 'Unauthorized' } }

/** Agents that refuse in a form that clients or proxies misread, or that tells too much. */
export const answerDefects = (circumstances: Circumstances): Defect[] => [
  ...formDefects,
  // A gRPC status is one of a few, and either OK or an error.
  ...overHttpOnly(httpForms),
  ...crashes,
  ...tellingDefects,
  ...leakDefects(circumstances),
]

const formDefects: readonly Defect[] = [
  { name: 'refuses without a challenge', quirks: wordings(bare(401)), named: warns('challenge') },
  {
    name: 'refuses with an empty challenge',
    quirks: wordings((response) => {
      response.setHeader('WWW-Authenticate', '')
      bare(401)(response)
    }),
    named: warns('challenge'),
  },
  {
    name: 'refuses in plain text without a challenge',
    quirks: wordings((response) =>
      response.writeHead(401, { 'Content-Type': 'text/plain' }).end('Unauthorized\n'),
    ),
    named: warns('challenge'),
  },
  {
    name: 'shows a login page with 401, and no challenge',
    quirks: wordings((response) =>
      response.writeHead(401, { 'Content-Type': 'text/html' }).end('<h1>Log in</h1>'),
    ),
    named: warns('challenge'),
  },
  ...[403, 404].map((status): Defect => ({
    name: `refuses with ${status}`,
    quirks: wordings(bare(status)),
    named: warns('status'),
  })),
  {
    name: 'refuses a missing code with 403, and all else well',
    quirks: wordings((response, reason) => reason === 'no code' && bare(403)(response)),
    named: warns('status', 'uniform'),
  },
  {
    name: 'refuses a call without credentials with 400',
    quirks: wordings((response, reason) => reason === 'no token' && bare(400)(response)),
    named: warns('status'),
  },
  ...[302, 307].map((status): Defect => ({
    name: `redirects to a login page with ${status}`,
    quirks: wordings((response) => response.writeHead(status, { Location: 'https://login.invalid/' }).end()),
    named: warns('status'),
  })),
]

const httpForms: readonly Defect[] = [
  ...[407, 422].map((status): Defect => ({
    name: `refuses with ${status}`,
    quirks: wordings(bare(status)),
    named: warns('status'),
  })),
  {
    name: 'puts refusals into a 200',
    quirks: wordings((response) => sendJson(response, 200, rpcError)),
    named: warns('status'),
  },
  {
    name: 'puts refusals into a 200 whose words do not say so',
    quirks: wordings((response) =>
      sendJson(response, 200, { ...rpcError, error: { code: -32050, message: 'try that again' } }),
    ),
    named: warns('status'),
  },
  {
    name: 'shows a login page',
    quirks: wordings((response) =>
      response.writeHead(200, { 'Content-Type': 'text/html' }).end('<p>Please log in</p>'),
    ),
    named: warns('status'),
  },
]

const crashes: readonly Defect[] = [
  {
    name: 'fails instead of refusing',
    quirks: wordings(bare(500)),
    named: fails('status'),
    // Whether a method that answers so is not there depends on the others.
    follows: ['auth.doors'],
  },
  {
    name: 'answers 501 instead of refusing',
    quirks: wordings(bare(501)),
    named: fails('status'),
    // Whether a method that answers so is not there depends on the others.
    follows: ['auth.doors'],
  },
  {
    name: 'fails on a malformed code',
    quirks: wordings((response, reason) => reason === 'malformed' && bare(500)(response)),
    named: fails('status'),
  },
  {
    name: 'fails on a header that is doubled',
    quirks: wordings((response, reason) => reason === 'doubled' && bare(500)(response)),
    named: fails('status'),
  },
  {
    name: 'fails on a token that it does not know',
    quirks: wordings((response, reason) => reason === 'unknown token' && bare(500)(response)),
    named: { status: 'fail', uniform: 'warn' },
  },
  {
    name: 'fails on a wrong code',
    quirks: wordings((response, reason) => reason === 'wrong' && bare(500)(response)),
    named: { status: 'fail', uniform: 'warn' },
  },
]

const tellingDefects: readonly Defect[] = [
  {
    name: 'says which of the two was wrong',
    quirks: wordings((response, reason) => {
      response.setHeader('WWW-Authenticate', 'Bearer realm="a2a"')
      sendJson(response, 401, { error: { code: 401, status: 'UNAUTHENTICATED', message: reason } })
    }),
    named: warns('uniform'),
  },
  {
    name: 'says whether the token is live when the code is missing',
    quirks: wordings((response, reason) => refuse(response, reason === 'no code' ? 'no token' : reason)),
    named: warns('uniform'),
  },
  {
    name: 'challenges for the code only where the token is known',
    quirks: wordings((response, reason) => {
      if (reason !== 'unknown token') return
      response.setHeader('WWW-Authenticate', 'Bearer realm="a2a", error="invalid_token"')
      sendJson(response, 401, {
        error: { code: 401, status: 'UNAUTHENTICATED', message: 'credentials needed' },
      })
    }),
    named: warns('uniform'),
  },
  {
    name: 'asks to come back later only where the token is known',
    quirks: wordings((response, reason) => {
      if (reason === 'wrong') response.setHeader('Retry-After', '5')
      refuse(response, reason)
    }),
    named: warns('uniform'),
  },
]

function leakDefects({ peers, now }: Circumstances): Defect[] {
  const secrets = [
    ['a token', ({ token }) => token],
    ['a seed', ({ seed }) => seed.base32.toLowerCase()],
    ['a valid code', (peer) => `expected ${codeOf(peer, now())} of you`],
  ] satisfies [string, (peer: AgentPeer) => string][]
  const places = [
    ['a header', (response, text) => response.setHeader('X-Debug', text)],
    [
      'the body',
      (response, text) => {
        response.setHeader('WWW-Authenticate', 'Bearer realm="a2a"')
        sendJson(response, 401, { error: { code: 401, status: 'UNAUTHENTICATED', message: text } })
      },
    ],
  ] satisfies [string, (response: Parameters<typeof sendJson>[0], text: string) => void][]
  const [peer] = peers
  return [
    ...secrets.flatMap(([what, secret]) =>
      places.map(([where, tell]): Defect => ({
        name: `tells ${what} in ${where} of its refusals`,
        quirks: wordings((response, reason) => {
          if (peer) tell(response, secret(peer))
          if (!response.writableEnded) refuse(response, reason)
        }),
        named: fails('leak'),
      })),
    ),
    {
      name: 'tells a token in an event of a stream',
      quirks: {
        refuse: (response, _, { operation }) => {
          if (operation !== 'subscribe') return false
          response.writeHead(401, {
            'Content-Type': 'text/event-stream',
            'WWW-Authenticate': 'Bearer realm="a2a"',
          })
          response.end(`data: {"error":{"code":401,"message":"not ${peer?.token ?? ''}"}}\n\n`)
          return true
        },
      },
      named: fails('leak'),
      httpOnly: true,
    },
    {
      name: 'has a seed in its card',
      quirks: { card: (card) => ({ ...card, note: peer?.seed.base32 }) },
      named: fails('leak'),
    },
  ]
}
