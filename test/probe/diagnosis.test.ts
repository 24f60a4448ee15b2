import { describe, expect, it } from 'vitest'
import { formats, renderPretty, type ProbeReport } from '../../src/probe/index.js'
import { sendJson, type Quirks } from '../support/broken-agent.js'
import { defects } from '../support/broken-agents.js'
import { withInterface, type Card } from '../support/broken/card-edits.js'
import { alice, bob, midStep, probeAgent, type Probing } from '../support/probing.js'

const table = defects({ peers: [alice, bob], now: () => midStep })

type Expected = readonly [explain: string, sentence: string]

const malformed: Expected = ['auth.malformed-code', 'malformed codes are read as right ones']
const doubled: Expected = ['auth.duplicate-header', 'a header that is sent twice is not refused']
const remembers: Expected = [
  'auth.after-valid',
  'the agent remembers callers: after a success it lets in what it refused before',
]
const anyCode: Expected = ['auth.wrong-code', 'the value of the code is not checked: wrong codes are let in']
const streams: Expected = ['auth.stream', 'streams are not guarded']
const crashes: Expected = ['status', 'the agent fails instead of refusing']
const leaks: Expected = ['leak', 'an answer contains a secret']

/** What is said of agents of the table that fail in every cell, and which check to read about. */
const sentences: Readonly<Record<string, Expected>> = {
  'checks nothing': ['auth.none', 'this agent demands no credentials at all'],
  'checks the token only': [
    'auth.bearer-only',
    'the second factor is not checked: the token alone is enough',
  ],
  'lets calls without a code in, as if the second factor were optional': [
    'auth.bearer-only',
    'the second factor is optional: the token alone is enough',
  ],
  'lets callers without any credentials in as guests': [
    'auth.none',
    'callers without any credentials are let in',
  ],
  'does not need a token': ['auth.totp-only', 'the token is not checked: a code alone is enough'],
  'does not look whether the token is known': [
    'auth.wrong-token',
    'the token is not checked: an unknown one is enough beside a right code',
  ],
  'accepts any six digits': anyCode,
  'accepts any six digits with a token once it was seen with the right ones': anyCode,
  'accepts one fixed code beside the real ones': ['auth.wrong-code', 'a wrong code is let in'],
  'accepts codes of the last ten minutes': ['auth.expired-code', 'codes of minutes ago are still let in'],
  'accepts codes of the next ten minutes': [
    'auth.future-code',
    'codes of minutes to come are let in already',
  ],
  "accepts any peer's code with any token": ['auth.cross-peer', "another peer's code is let in"],
  'reads codes as numbers': malformed,
  'splits lists': malformed,
  'takes the first of two codes': doubled,
  'takes the last of two tokens': doubled,
  'trusts a connection once it carried a success': remembers,
  'trusts a token without a code once it was seen with one': remembers,
  'wants some code on streams, and takes any': streams,
  'forgets the guard on streams': streams,
  'reads the code from another header': [
    'auth.valid',
    'right credentials are refused everywhere: the agent asks for the code in X-OTP, but it was sent in X-TOTP; in X-OTP it was let in',
  ],
  'fails instead of refusing': crashes,
  'fails on a malformed code': crashes,
  'tells a token in the body of its refusals': leaks,
  'tells a valid code in the body of its refusals': leaks,
  'has a clock that is ahead by minutes': ['clock', 'its clock is 2.5 minutes ahead'],
}

/** The same of agents that are only warned about, where the run is strict. */
const strictSentences: Readonly<Record<string, Expected>> = {
  'wants "Bearer" spelled just so': ['auth.valid', 'right credentials are let in, but not as they should be'],
  'refuses without a challenge': ['challenge', 'a 401 does not say how to authenticate'],
  'refuses with 403': ['status', 'callers are not refused with 401'],
  'says which of the two was wrong': ['uniform', 'refusals reveal whether a token is live'],
}

const said = ({ explain, diagnosis }: ProbeReport): unknown => [explain, diagnosis]

/** What an agent says of itself where both URLs of its interfaces are named. */
const everywhere = ([explain, sentence]: Expected, url: string): unknown => [
  explain,
  `${sentence} (${url}/rpc, ${url}/rest)`,
]

const probeNamed = (name: string, strict: boolean): Promise<Probing> => {
  const defect = table.find((one) => one.name === name)
  if (!defect) throw new Error(`no agent ${name}`)
  return probeAgent(defect.quirks, { path: defect.path, strict })
}

describe('the diagnosis', () => {
  it.each(Object.entries(sentences))('of an agent that %s', async (name, expected) => {
    const { report, agent } = await probeNamed(name, false)
    expect(said(report)).toEqual(everywhere(expected, agent.url))
  })

  it.each(Object.entries(strictSentences))('of an agent that %s, when strict', async (name, expected) => {
    const { report, agent } = await probeNamed(name, true)
    expect(said(report)).toEqual(everywhere(expected, agent.url))
    const { report: lenient } = await probeNamed(name, false)
    expect(said(lenient)).toEqual([undefined, undefined])
  })

  const rest = (quirks: Quirks): Quirks => ({
    ...(quirks.waves && {
      waves: (call, seen) => call.binding === 'rest' && quirks.waves?.(call, seen) === true,
    }),
    ...(quirks.answers && {
      answers: (response, call, seen) =>
        call.binding === 'rest' && quirks.answers?.(response, call, seen) === true,
    }),
  })
  const newRest: Quirks = { waves: ({ binding, version }) => binding === 'rest' && version === '1.0' }
  const noLuck: Quirks = {
    answers: (response) => {
      response.setHeader('WWW-Authenticate', 'Bearer realm="a2a"')
      sendJson(response, 401, { error: { code: 401, message: 'no' } })
      return true
    },
  }

  it('names the interface that is open where the others are not', async () => {
    const { report, agent } = await probeAgent(rest({ waves: () => true }))
    expect(said(report)).toEqual(['auth.none', `REST is not behind the guard (${agent.url}/rest)`])
    const { report: one, agent: other } = await probeAgent(newRest)
    expect(said(one)).toEqual(['auth.none', `REST 1.0 is not behind the guard (${other.url}/rest)`])
  })

  it('names the interface that refuses right credentials', async () => {
    const { report, agent } = await probeAgent(rest(noLuck))
    expect(report.explain).toBe('auth.valid')
    expect(report.diagnosis).toMatch(
      /^REST: right credentials are refused: the same credentials were let in by /,
    )
    expect(report.diagnosis).toContain(`(${agent.url}/rest)`)
  })

  it('says that the card declares no second factor, where none is checked', async () => {
    const bearer = table.find(({ name }) => name === 'declares no header scheme')?.quirks ?? {}
    const open = table.find(({ name }) => name === 'checks the token only')?.quirks ?? {}
    const { report } = await probeAgent({ ...bearer, ...open })
    expect(report.diagnosis).toMatch(
      /^this agent declares no second factor, and checks none: the token alone/,
    )
    const { report: stranger } = await probeAgent({ ...bearer, peersOf: () => [] })
    expect(said(stranger)).toEqual([
      'card.totp',
      expect.stringMatching(/^this agent declares no second factor, and refuses right credentials \(http/),
    ])
  })

  it('tells a limiter in front from a peer whose budget is spent', async () => {
    const limited = (isLimited: (token: string | undefined) => boolean): Quirks => ({
      answers: (response, _, { authorization }) => {
        if (authorization.length === 0 || !isLimited(authorization[0])) return false
        response.setHeader('Retry-After', '1')
        sendJson(response, 429, { error: { code: 429, message: 'later' } })
        return true
      },
    })
    const { report } = await probeAgent(limited(() => true))
    expect(report.diagnosis).toMatch(/^callers are throttled whatever their token is, /)
    const { report: live } = await probeAgent(limited((token) => token === `Bearer ${alice.token}`))
    expect(live.diagnosis).toMatch(/^this peer is throttled, /)
  })

  it('says why an interface was not shown, or how many were not', async () => {
    const named = await probeNamed('names a host of somebody else', false)
    expect(said(named.report)).toEqual([
      'coverage',
      'the card names an interface that was not shown: REST 1.0 was not tested: the card names another host, in ' +
        'https://elsewhere.invalid/rest, which gets no credentials; allow it with --allow-host elsewhere.invalid ' +
        '(https://elsewhere.invalid/rest)',
    ])
    const { report } = await probeAgent({
      card: (card, origin) => {
        const one = withInterface('https://elsewhere.invalid/rest', 'HTTP+JSON', '1.0').card?.(card, origin)
        return withInterface('https://far.invalid/rpc', 'JSONRPC', '1.0').card?.(one as Card, origin)
      },
    })
    expect(said(report)).toEqual([
      'coverage',
      'the card names 2 interfaces that were not shown (https://far.invalid/rpc, https://elsewhere.invalid/rest)',
    ])
  })

  it.each([
    [
      'serves no card',
      'card.fetch',
      /^no card was read \(.*\); if URL is an endpoint, say with --binding and /,
    ],
    [
      'names a listening address',
      'coverage',
      /interface that was not shown: .*0\.0\.0\.0.* is a listening address, /,
    ],
    [
      'names more interfaces than a run may test',
      'coverage',
      /^the card names more interfaces than one run tests \(/,
    ],
    [
      'throttles whoever has no token, and never says more',
      'coverage',
      /^not everything was tested: .*throttled/,
    ],
    ['names a gRPC interface that nobody serves', 'coverage|auth.none', /^(?!.*not behind the guard)/],
    [
      'is behind a proxy that sends every call to another address',
      'auth.valid',
      /^every call is redirected, /,
    ],
    ['is behind a page that welcomes everyone', 'auth.valid', /^no A2A endpoint answers here: HTTP 200/],
    [
      'is behind a firewall that blocks every call',
      'auth.valid',
      /^a page refuses every call, as a firewall/,
    ],
    [
      'has lost its state, and says so to everyone',
      'auth.valid',
      /^right credentials are not answered properly everywhere: the agent cannot check/,
    ],
    ['checks the code of a POST only', 'auth.bearer-only', /^REST: the second factor is not checked: /],
    ['has a seed in its card', 'leak', /^the agent card contains a secret \(/],
  ])('of an agent that %s names the reason', async (name, explain, sentence) => {
    const { report } = await probeNamed(name, false)
    expect(report.explain).toMatch(new RegExp(`^(${explain})$`))
    expect(report.diagnosis).toMatch(sentence)
  })

  it('names who demands a client certificate, in front of the agent', async () => {
    const { report } = await probeAgent({
      answers: (response) => {
        response.writeHead(400, { 'Content-Type': 'text/html', Server: 'nginx/1.27.0' })
        response.end('<html><head><title>400 No required SSL certificate was sent</title></head></html>')
        return true
      },
    })
    expect(said(report)).toEqual([
      'tls',
      expect.stringMatching(/^the agent demands a client certificate at 127\.0\.0\.1:\d+ \(http/),
    ])
  })

  it('says that nothing answers', async () => {
    const { report } = await probeAgent({}, { url: 'http://127.0.0.1:1/' })
    expect(said(report)).toEqual([
      'reach',
      expect.stringMatching(/^nothing answers: .*\(http:\/\/127\.0\.0\.1:1\/\)$/),
    ])
  })

  it('is absent where nothing failed, and where no single sentence explains most of it', async () => {
    const { report } = await probeAgent({})
    expect(Object.keys(report)).not.toContain('diagnosis')
    expect(Object.keys(report)).not.toContain('explain')
    // Two faults that have nothing to do with each other, in as many cells each.
    const { report: mixed } = await probeAgent({
      pickToken: (lines) => lines[0],
      refuse: (response, reason) => {
        if (reason === 'malformed') sendJson(response, 500, {})
        return reason === 'malformed'
      },
    })
    expect(mixed.summary.failed).toBe(8)
    expect(said(mixed)).toEqual([undefined, undefined])
  })

  it('comes first for people, with the command that explains it, and an open agent is a short report', async () => {
    const { report, agent } = await probeNamed('checks nothing', false)
    const plain = { color: false, symbols: false }
    const first = `this agent demands no credentials at all (${agent.url}/rpc, ${agent.url}/rest)`
    const lines = renderPretty(report, plain).split('\n')
    expect(lines[0]).toBe(`${first}; see a2a-totp probe --explain auth.none`)
    expect(lines.length).toBeLessThan(90)
    expect(formats.markdown(report, plain).split('\n')[2]).toBe(
      `**\`${first}\`** (\`a2a-totp probe --explain auth.none\`)`,
    )
    const [github = ''] = formats.github(report, plain).split('\n')
    expect(github).toBe(`::notice title=a2a-totp probe::${first}; see a2a-totp probe --explain auth.none`)
  })
})
