import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { defaultProfile } from '../../src/core/profile.js'
import { Token } from '../../src/core/token.js'
import { generateCode } from '../../src/core/totp.js'
import type { ProbeOptions, ProbeReport } from '../../src/probe/index.js'
import { sendJson, type Quirks, type Reason, type Seen } from '../support/broken-agent.js'
import { alice, findings, midStep, probeAgent } from '../support/probing.js'

const rpcOnly = { binding: 'jsonrpc', protocol: '0.3' } as const
const restOnly = { binding: 'rest', protocol: '1.0' } as const

const hasToken = ({ authorization }: Seen): boolean =>
  authorization.length === 1 && authorization[0]?.toLowerCase() === `bearer ${alice.token}`.toLowerCase()
const isRight = (seen: Seen): boolean =>
  hasToken(seen) &&
  seen.codes.length === 1 &&
  seen.codes[0] === generateCode(alice.seed, defaultProfile, midStep)

type Act = (response: ServerResponse, call: Parameters<NonNullable<Quirks['answers']>>[1]) => void

/** Answers so those whom it lets in. */
const onceIn = (act: Act, letsIn: (seen: Seen) => boolean = isRight): Quirks => ({
  answers: (response, call, seen) => {
    if (!letsIn(seen)) return false
    act(response, call)
    return response.writableEnded
  },
})

/** Refuses so for one of these reasons, or whatever the reason. */
const refusing = (act: (response: ServerResponse) => void, ...reasons: Reason[]): Quirks => ({
  refuse: (response, reason) => {
    const isMeant = reasons.length === 0 || reasons.includes(reason)
    if (isMeant) act(response)
    return isMeant
  },
})

const rpcError = (response: ServerResponse, code: number, message: string): void =>
  sendJson(response, 200, { jsonrpc: '2.0', id: 1, error: { code, message } })

const page =
  (status: number, body: string, type = 'text/html', server = 'nginx/1.27.3') =>
  (response: ServerResponse): void =>
    void response.writeHead(status, { 'Content-Type': type, Server: server }).end(body)
const nginxPage = (status: number): ((response: ServerResponse) => void) =>
  page(status, `<html><center><h1>${status}</h1></center><hr><center>nginx/1.27.3</center></html>`)

const knowsSendAlone: Act = (response, { operation, taskId }) => {
  if (operation === 'send')
    sendJson(response, 200, { jsonrpc: '2.0', id: 1, result: { kind: 'task', id: taskId } })
  else rpcError(response, -32601, 'Method not found')
}

const detailOf = ({ checks }: ProbeReport, id: string): string =>
  checks.find((check) => check.id === id)?.detail ?? ''

describe('right credentials are let in at an agent that', () => {
  it.each<[string, Quirks, Partial<ProbeOptions>, Record<string, string>]>([
    [
      'hides the tasks of others',
      onceIn((response, { taskId }) =>
        rpcError(response, -32001, `Task ${taskId} not found or access denied`),
      ),
      rpcOnly,
      {},
    ],
    ['knows no method but message/send', onceIn(knowsSendAlone), rpcOnly, { 'auth.valid': 'warn' }],
    [
      'does so and is sent one',
      onceIn(knowsSendAlone),
      { ...rpcOnly, send: 'hello' },
      { 'auth.valid': 'warn' },
    ],
    [
      'answers a bare 404 to unknown tasks',
      onceIn((response) => void response.writeHead(404).end()),
      restOnly,
      { 'auth.valid': 'warn' },
    ],
    [
      'hides behind 404 from everyone else',
      refusing((response) => void response.writeHead(404).end()),
      restOnly,
      { status: 'warn' },
    ],
  ])('%s', async (_, quirks, options, found) => {
    const { report } = await probeAgent(quirks, options)
    expect(findings(report)).toEqual(found)
    expect(report).toMatchObject({ ok: true, guessesSpent: 4 })
  })
})

describe('PASS is not said of an agent that', () => {
  const open = (): boolean => true
  it.each<[string, Quirks, Partial<ProbeOptions>, Record<string, string>]>([
    [
      'answers "not found or access denied" to everyone',
      onceIn((response) => rpcError(response, -32001, 'Task not found or access denied'), open),
      { ...rpcOnly, only: ['auth.none', 'auth.bearer-only', 'auth.valid'] },
      { 'auth.none': 'fail', 'auth.bearer-only': 'fail', 'auth.valid': 'fail', coverage: 'fail' },
    ],
    [
      'answers a bare 404 to everyone',
      onceIn((response) => void response.writeHead(404).end(), open),
      restOnly,
      { coverage: 'fail' },
    ],
    [
      'knows no method but message/send, for anyone',
      onceIn(knowsSendAlone, open),
      rpcOnly,
      { coverage: 'fail' },
    ],
    [
      'knows no method but message/send, for the token alone',
      onceIn(knowsSendAlone, hasToken),
      { ...rpcOnly, only: ['auth.none', 'auth.bearer-only', 'auth.valid', 'auth.stream'] },
      // It has no streams for anyone, so none is open.
      { 'auth.bearer-only': 'fail', 'auth.valid': 'warn' },
    ],
    [
      'shows a page once somebody is in',
      onceIn(page(200, '<h1>Dashboard</h1>')),
      rpcOnly,
      { 'auth.valid': 'fail', coverage: 'fail' },
    ],
    [
      'answers with nothing once somebody is in',
      onceIn((response) => void response.writeHead(200).end()),
      rpcOnly,
      { 'auth.valid': 'fail', coverage: 'fail' },
    ],
    [
      'opens streams to the token alone',
      {
        answers: (response, { operation }, seen) => {
          if (operation !== 'subscribe' || !hasToken(seen)) return false
          response.writeHead(200, { 'Content-Type': 'text/event-stream' })
          response.end('data: {"jsonrpc":"2.0",\r\ndata: "id":1,"result":{"kind":"task"}}\r\n\r\n')
          return true
        },
      },
      rpcOnly,
      // That of the other version is a method which no check of a stream calls.
      { 'auth.stream': 'fail', 'auth.doors': 'fail' },
    ],
  ])('%s', async (_, quirks, options, found) => {
    const { report } = await probeAgent(quirks, options)
    expect(findings(report)).toEqual(found)
    expect(report.ok).toBe(false)
  })

  it('answers a page to everyone, and it asks whether that is the endpoint', async () => {
    const { report } = await probeAgent(
      onceIn(page(200, '<h1>Welcome</h1>'), () => true),
      rpcOnly,
    )
    expect(findings(report)).toEqual({ 'auth.valid': 'fail', coverage: 'fail' })
    expect(detailOf(report, 'auth.valid')).toBe(
      'no answer of the protocol for everyone: is this the A2A endpoint?',
    )
  })
})

describe('a refusal in a stream', () => {
  it.each([
    ['\n', 2, 'data: '],
    ['\r\n', 4, 'data:'],
    ['\r', 0, 'data: '],
  ])('with the line end %j and JSON indented by %i is one', async (end, indent, field) => {
    const error = { jsonrpc: '2.0', id: 1, error: { code: -32001, message: 'Unauthorized' } }
    const lines = JSON.stringify(error, null, indent).split('\n')
    const text = [': hello', '', 'event: error', 'id: 1', ...lines.map((line) => field + line), '', ''].join(
      end,
    )
    const { report } = await probeAgent(
      {
        refuse: (response, _reason, { operation }) => {
          if (operation !== 'subscribe') return false
          response.writeHead(200, { 'Content-Type': 'text/event-stream' }).end(text)
          return true
        },
      },
      { ...rpcOnly, only: ['auth.none', 'auth.valid', 'auth.stream', 'auth.wrong-code', 'status'] },
    )
    expect(findings(report)).toEqual({ status: 'warn' })
  })
})

describe('what stands in front is not taken for the agent:', () => {
  const odd: Reason[] = ['malformed', 'doubled']
  it.each<[string, Quirks, string]>([
    ['nginx answers 400', refusing(nginxPage(400), ...odd), 'refused by nginx in front of the agent'],
    [
      'an HTTP server answers 400',
      refusing((response) => void response.writeHead(400).end(), ...odd),
      'refused by something',
    ],
    [
      'HAProxy answers 400',
      refusing(
        page(
          400,
          '<html><body><h1>400 Bad request</h1>\nYour browser sent an invalid request.\n</body></html>\n',
        ),
        ...odd,
      ),
      'refused by HAProxy in front of the agent',
    ],
    [
      'a firewall answers 403',
      refusing(page(403, '<title>Attention Required! | Cloudflare</title>'), ...odd),
      'refused by Cloudflare',
    ],
    [
      'a firewall of no name answers 403',
      refusing(page(403, '<h1>Blocked</h1>', 'text/html', ''), ...odd),
      'refused by something',
    ],
    [
      'the header is too large for it',
      refusing((response) => void response.writeHead(431).end(), ...odd),
      'refused by something',
    ],
    [
      'the connection is closed',
      refusing((response) => void response.socket?.destroy(), ...odd),
      'the connection was closed',
    ],
  ])('%s to a malformed or duplicate header', async (_, quirks, words) => {
    const { report } = await probeAgent(quirks, rpcOnly)
    expect(findings(report)).toEqual({})
    expect(report.ok).toBe(true)
    for (const id of ['auth.malformed-code', 'auth.duplicate-header']) {
      expect(detailOf(report, id)).toContain(words)
    }
  })

  it('a 502 is no refusal, and coverage says what was not shown', async () => {
    const { report } = await probeAgent(
      {
        refuse: (response, _reason, { operation }) => {
          if (operation === 'subscribe') nginxPage(502)(response)
          return operation === 'subscribe'
        },
      },
      rpcOnly,
    )
    expect(findings(report)).toEqual({ coverage: 'fail' })
    expect(detailOf(report, 'coverage')).toContain('HTTP 502 from nginx')
  })

  it('a page of its own for an unknown token does not tell which token is live', async () => {
    let seen = 0
    const { report } = await probeAgent(
      {
        refuse: (response, reason) => {
          if (reason !== 'unknown token' || ++seen > 1) return false
          nginxPage(503)(response)
          return true
        },
      },
      rpcOnly,
    )
    expect(findings(report)).not.toHaveProperty('uniform')
    expect(findings(report)).not.toHaveProperty('status')
  })

  it('a page that demands a client certificate is understood', async () => {
    const { report } = await probeAgent(
      onceIn(
        page(400, '<h1>400 Bad Request</h1>No required SSL certificate was sent<hr><center>nginx</center>'),
      ),
      { ...rpcOnly, only: ['auth.valid'] },
    )
    expect(detailOf(report, 'auth.valid')).toContain('demands a client certificate: pass --cert and --key')
  })
})

describe('an agent that declares no second factor', () => {
  const bare: Quirks['card'] = (card) => ({
    ...card,
    securitySchemes: {},
    security: [],
    securityRequirements: [],
  })

  it('is named where it refuses right credentials', async () => {
    const { report } = await probeAgent(
      { peersOf: () => [], card: bare },
      { ...rpcOnly, only: ['auth.valid'] },
    )
    expect(detailOf(report, 'auth.valid')).toContain('declares no second factor')
    expect(detailOf(report, 'auth.valid')).not.toMatch(/clock|in front/)
  })

  it('is named where it lets the token alone in', async () => {
    const only = ['auth.none', 'auth.bearer-only', 'auth.valid']
    const { report } = await probeAgent(
      { waves: (_, seen) => hasToken(seen), card: bare },
      { ...rpcOnly, only },
    )
    expect(detailOf(report, 'auth.bearer-only')).toContain('declares no second factor')
  })
})

describe('a code that is accepted twice', () => {
  const own = { ...defaultProfile, seed: alice.seed, token: Token.parse(alice.token) }
  it.each([
    ['once', 'fail', 'the policy is once'],
    ['reuse', 'pass', 'policy reuse'],
    [undefined, 'pass', 'policy once was not tested'],
  ] as const)('under policy %s: %s', async (replay, status, words) => {
    const credentials = { ...own, ...(replay && { replay }) }
    const { report } = await probeAgent(
      {},
      { ...rpcOnly, only: ['auth.none', 'auth.valid', 'replay'], credentials },
    )
    expect(report.checks.find(({ id }) => id === 'replay')?.status).toBe(status)
    expect(detailOf(report, 'replay')).toContain(words)
  })
})

describe('the Date of an agent', () => {
  const hourAgo = new Date(midStep.getTime() - 3_600_000).toUTCString()
  const dated = (fields: Record<string, string>): Quirks => ({
    answers: (response) => {
      for (const [name, value] of Object.entries(fields)) response.setHeader(name, value)
      return false
    },
  })
  it.each<[string, Record<string, string>, Record<string, string>]>([
    ['of an hour ago with an Age of an hour', { Date: hourAgo, Age: '3600' }, {}],
    ['of now in the form of asctime', { Date: 'Tue Jan  1 00:00:10 2030' }, {}],
    ['of now in the form of RFC 850', { Date: 'Tuesday, 01-Jan-30 00:00:10 GMT' }, {}],
    ['of an hour ago', { Date: hourAgo }, { clock: 'warn' }],
  ])('%s', async (_, fields, found) => {
    const { report } = await probeAgent(dated(fields), { ...rpcOnly, only: ['auth.none', 'clock'] })
    expect(findings(report)).toMatchObject(found)
    expect('clock' in findings(report)).toBe('clock' in found)
  })
})
