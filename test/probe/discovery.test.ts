import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { probe, type ProbeReport } from '../../src/probe/index.js'
import { cardUrls } from '../../src/probe/target/card-paths.js'
import { probeBehind, type Serve } from '../support/card-front.js'
import { findings, midStep, probeAgent, probeOptions, stillClock } from '../support/probing.js'

const wellKnown = '/.well-known/agent-card.json'

const checkOf = ({ checks }: ProbeReport, id: string) => checks.find((check) => check.id === id)
const detailOf = (report: ProbeReport, id: string): string => checkOf(report, id)?.detail ?? ''

const isCard = (url = ''): boolean => url.endsWith('.json')
const end = (response: ServerResponse, status: number, body = '', type = 'application/json'): true => {
  // The clock of the tests stands still, and that of Node does not.
  response.sendDate = false
  response.writeHead(status, { 'Content-Type': type }).end(body)
  return true
}

const guardedCard: Serve = ({ url, headers }, response) =>
  isCard(url) && !('authorization' in headers && 'x-totp' in headers) && end(response, 401, '{}')

describe('the places of a card', () => {
  const paths = (url: string): string[] => cardUrls(new URL(url)).map((one) => one.pathname + one.search)

  it('are below the URL, then at the origin, and those of A2A 0.2 last', () => {
    expect(paths('https://agent.example')).toEqual([wellKnown, '/.well-known/agent.json'])
    expect(paths('https://agent.example/a/?x=1')).toEqual([
      `/a${wellKnown}`,
      wellKnown,
      '/a/.well-known/agent.json',
      '/.well-known/agent.json',
    ])
  })

  it.each([`/a${wellKnown}?x=1`, '/cards/mine.json'])('are %s alone if that is the URL', (path) => {
    expect(paths(`https://agent.example${path}`)).toEqual([path])
  })
})

describe('an exact URL of a card', () => {
  it.each([
    [401, '{}', '/mine.json answers HTTP 401'],
    [404, '', '/mine.json answers HTTP 404'],
    [500, 'oops', '/mine.json answers HTTP 500'],
    [200, '<html></html>', '/mine.json answers HTTP 200, but no card (text/html)'],
  ])('that answers %i %s is what is reported, not the card at the root', async (status, body, said) => {
    const serve: Serve = ({ url }, response) =>
      url === '/mine.json' && end(response, status, body, 'text/html')
    const { report, seen } = await probeBehind(serve, { path: '/mine.json' })
    expect(report.ok).toBe(false)
    expect(findings(report)).toMatchObject({ 'card.fetch': 'warn', coverage: 'fail' })
    expect(detailOf(report, 'card.fetch')).toContain(said)
    expect(detailOf(report, 'coverage')).toContain(said)
    expect(seen.every((line) => line.startsWith('GET /mine.json'))).toBe(true)
  })
})

describe('what is no card', () => {
  it.each([
    ['[]', 'JSON without the fields of a card'],
    ['[{"url":"http://127.0.0.1:1"}]', 'JSON without the fields of a card'],
    ['{}', 'JSON without the fields of a card'],
    ['"card"', 'JSON without the fields of a card'],
    ['<html></html>', 'application/json'],
    ['', 'application/json'],
  ])('like %s fails coverage unless --binding and --protocol say what the URL is', async (body, said) => {
    const serve: Serve = ({ url }, response) => isCard(url) && end(response, 200, body)
    const { report } = await probeBehind(serve, { path: '/rpc' })
    expect(report.ok).toBe(false)
    expect(findings(report)).toEqual({ 'card.fetch': 'warn', coverage: 'fail' })
    expect(detailOf(report, 'coverage')).toMatch(
      /no card was read \(.*\); .* say with --binding and --protocol/,
    )
    expect(detailOf(report, 'coverage')).toContain(`but no card (${said})`)
    const one = await probeBehind(serve, { path: '/rpc', binding: 'jsonrpc' })
    expect(findings(one.report)).toEqual({ 'card.fetch': 'warn', coverage: 'fail' })
    const both = await probeBehind(serve, { path: '/rpc', binding: 'jsonrpc', protocol: '1.0' })
    expect(both.report.ok).toBe(true)
    expect(findings(both.report)).toEqual({ 'card.fetch': 'warn' })
  })

  it.each([
    { supportedInterfaces: [] },
    { supportedInterfaces: [], url: '' },
    { supportedInterfaces: null, additionalInterfaces: [] },
    { skills: [] },
  ])('is not %j, but it names no interface, and that fails coverage too', async (given) => {
    const { report } = await probeAgent({ card: () => ({ name: 'x', ...given }) }, { path: '/rpc' })
    expect(report.ok).toBe(false)
    expect(detailOf(report, 'coverage')).toContain('the card names no interface')
  })

  it('cannot be hidden by leaving coverage out', async () => {
    const serve: Serve = ({ url }, response) => isCard(url) && end(response, 404)
    for (const options of [{ skip: ['coverage'] }, { only: ['auth.none'] }]) {
      const { report } = await probeBehind(serve, { path: '/rpc', ...options })
      expect([report.ok, checkOf(report, 'coverage')?.status]).toEqual([false, 'fail'])
    }
  })
})

describe('the card for clients of 0.3, which ask without A2A-Version', () => {
  const olderIs =
    (status: number, body = '{}'): Serve =>
    ({ url, headers }, response) =>
      isCard(url) && headers['a2a-version'] === undefined && end(response, status, body)

  it.each([
    [500, '{}', 'answers HTTP 500'],
    [503, '{}', 'answers HTTP 503'],
    [429, '{}', 'answers HTTP 429'],
    [401, '{}', 'answers HTTP 401'],
    [403, '{}', 'answers HTTP 403'],
    [302, '', 'answers HTTP 302, a redirect'],
    [200, '<html></html>', 'answers HTTP 200, but no card'],
  ])('is a gap of coverage where the answer is %i %s', async (status, body, said) => {
    const { report } = await probeBehind(olderIs(status, body))
    expect(report.ok).toBe(false)
    expect(findings(report)).toEqual({ coverage: 'fail' })
    expect(detailOf(report, 'coverage')).toContain(
      `the card for clients of 0.3 was not read: without A2A-Version ${wellKnown} ${said}`,
    )
    const { report: newer } = await probeBehind(olderIs(status, body), { protocol: '1.0' })
    expect([newer.ok, findings(newer)]).toEqual([true, {}])
  })

  it('is a gap of coverage where there is no answer', async () => {
    const cutOff: Serve = ({ url, headers, socket }) =>
      isCard(url) && headers['a2a-version'] === undefined && !!socket.destroy()
    const { report } = await probeBehind(cutOff)
    expect(findings(report)).toEqual({ coverage: 'fail' })
    expect(detailOf(report, 'coverage')).toContain('the card for clients of 0.3 was not read')
  })

  it.each([
    [404, ''],
    [410, ''],
    [400, '{"error":{"code":400,"status":"FAILED_PRECONDITION"}}'],
    [405, ''],
    [406, ''],
    [501, ''],
    [200, '{"jsonrpc":"2.0","id":null,"error":{"code":-32009,"message":"Version not supported"}}'],
    [500, '{"error":{"details":[{"reason":"VERSION_NOT_SUPPORTED"}]}}'],
  ])('is none where the answer is %i %s', async (status, body) => {
    const { report } = await probeBehind(olderIs(status, body), { strict: true })
    expect([report.ok, findings(report)]).toEqual([true, {}])
  })
})

describe('a card behind credentials', () => {
  it('is asked for with them on its host, and reported', async () => {
    const { report, seen } = await probeBehind(guardedCard)
    expect(findings(report)).toEqual({ 'card.fetch': 'warn' })
    expect(detailOf(report, 'card.fetch')).toContain('the card is behind credentials')
    expect(report.checks.filter(({ id }) => id === 'auth.valid')).toHaveLength(4)
    expect(seen.slice(0, 2)).toEqual([`GET ${wellKnown}`, `GET ${wellKnown} authorization x-totp`])
    expect((await probeBehind(guardedCard, { strict: true })).report.ok).toBe(false)
  })

  it('under policy once costs a step for each version of it', async () => {
    const credentials = { ...probeOptions('', stillClock(midStep)).credentials, replay: 'once' as const }
    const codes = new Set<unknown>()
    const serve: Serve = (request, response) => {
      const { authorization, 'x-totp': code } = request.headers
      if (!isCard(request.url)) return false
      if (authorization === undefined || codes.has(code)) return end(response, 401, '{}')
      codes.add(code)
      return false
    }
    const { report } = await probeBehind(serve, { credentials, quirks: { once: true } })
    expect(findings(report)).toEqual({ 'card.fetch': 'warn' })
    expect(report.checks.filter(({ id }) => id === 'auth.valid')).toHaveLength(4)
    expect(codes.size).toBe(2)
  })

  it('that is refused with them too is no card', async () => {
    const { report } = await probeBehind((_, response) => end(response, 403, '{}'), { path: '/rpc' })
    expect(detailOf(report, 'card.fetch')).toContain(`${wellKnown} answers HTTP 403, with credentials too`)
    expect(checkOf(report, 'coverage')?.status).toBe('fail')
  })

  it('spends one guess at most where the agent does not know them, and says so', async () => {
    const refusesAll: Serve = (_, response) => end(response, 401, '{}')
    const { report, seen } = await probeBehind(refusesAll, { quirks: { peersOf: () => [] } })
    expect(report).toMatchObject({ ok: false, guessesSpent: 1 })
    expect(seen.some((line) => line.startsWith('GET') && line.includes('x-totp'))).toBe(true)
  })
})

describe('the former path of a card', () => {
  it('is tried last and remarked on', async () => {
    const serve: Serve = (request, response) => {
      if (request.url === wellKnown) return end(response, 404)
      if (request.url === '/.well-known/agent.json') request.url = wellKnown
      return false
    }
    const { report } = await probeBehind(serve)
    expect(findings(report)).toEqual({ 'card.fetch': 'warn' })
    expect(detailOf(report, 'card.fetch')).toContain('/.well-known/agent.json, the path of A2A 0.2')
  })
})

describe('a redirect of the card', () => {
  const redirected = (status: number, location: string) =>
    probeBehind(({ url }, response) => {
      if (!isCard(url)) return false
      response.writeHead(status, { Location: location }).end()
      return true
    })

  it.each([
    [301, `https://agent.example/a${wellKnown}?key=1`, 'https://agent.example/a'],
    [308, `https://agent.example/cards/mine.json`, 'https://agent.example/cards/mine.json'],
    [302, `https://me:pw@agent.example${wellKnown}`, 'https://agent.example'],
  ])('of HTTP %i to %s is not followed, and says what to probe', async (status, location, instead) => {
    const { report, seen } = await redirected(status, location)
    const detail = detailOf(report, 'card.fetch')
    const { origin, pathname } = new URL(location)
    expect(detail).toContain(
      `answers HTTP ${status}, a redirect that is not followed to ${origin}${pathname}; if that is the agent, probe ${instead}`,
    )
    expect(detail).not.toMatch(/key=1|me:pw/)
    expect(seen.some((line) => line.includes('.json authorization'))).toBe(false)
    expect(report.ok).toBe(false)
  })

  it('on the same host is not followed either', async () => {
    const { report, url, seen } = await redirected(308, '/moved/agent-card.json')
    expect(detailOf(report, 'card.fetch')).toContain(`probe ${url}/moved/agent-card.json`)
    expect(seen.some((line) => line.includes('/moved'))).toBe(false)
  })

  it.each(['http://agent.example/card.json', 'javascript:alert(1)', '', 'http://['])(
    'to %j gives no advice to follow it',
    async (location) => {
      const { report } = await redirected(301, location)
      expect(detailOf(report, 'card.fetch')).not.toContain('if that is the agent')
    },
  )
})

describe('--wait', () => {
  it('waits for an agent whose proxy has no agent yet, and then probes it', async () => {
    let answers = 0
    const serve: Serve = (_, response) => {
      answers += 1
      return answers <= 6 && end(response, [502, 503, 504][answers % 3] ?? 502, '<html>')
    }
    const { report, said } = await probeBehind(serve, { waitMs: 30_000 })
    expect(findings(report)).toEqual({})
    expect(said[0]).toBe('waiting up to 30 s for the agent: HTTP 503')
  })

  it('gives up where nothing answers in time', async () => {
    const clock = stillClock(midStep)
    const said: string[] = []
    const report = await probe({
      ...probeOptions('http://127.0.0.1:1', clock),
      waitMs: 20_000,
      announce: (text) => said.push(text),
    })
    expect(report).toMatchObject({ ok: false, reachable: false })
    expect(said).toEqual(['waiting up to 20 s for the agent: no connection (ECONNREFUSED)'])
    expect(clock.now().getTime() - midStep.getTime()).toBe(20_000)
  })

  it('does not wait for an agent that answers', async () => {
    const { report, said } = await probeBehind(() => false, { waitMs: 30_000 })
    expect(findings(report)).toEqual({})
    expect(said).toEqual([])
  })

  it('counts its requests among those of the run', async () => {
    const waiting = await probeBehind(() => false, { waitMs: 30_000 })
    const { report } = await probeBehind(() => false)
    expect(waiting.report.requests).toBe(report.requests + 1)
  })
})
