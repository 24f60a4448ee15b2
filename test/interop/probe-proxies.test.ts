import { expect, it, onTestFinished } from 'vitest'
import { defaultProfile } from '../../src/core/profile.js'
import { probe, type ProbeReport } from '../../src/probe/index.js'
import { startTestAgent } from '../support/broken-agent.js'
import { alice, bob, findings, probeOptions } from '../support/probing.js'
import {
  describeWithProxy,
  haproxyConfiguration,
  nginxConfiguration,
  startProxy,
  type ProxyProgram,
} from '../support/proxies.js'
import { freePort } from '../support/free-ports.js'

const clock = {
  now: (): Date => new Date(),
  sleep: (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms)),
}

/** Probes a right agent through a proxy, whose address its card names, and with which it shares this machine. */
async function probeBehind(
  program: ProxyProgram,
  configure: (agentPort: number) => string,
  scheme: 'http' | 'https' = 'http',
): Promise<ProbeReport> {
  const port = await freePort()
  const origin = `${scheme}://127.0.0.1:${port}`
  const agent = await startTestAgent({
    peers: [alice, bob],
    profile: defaultProfile,
    now: clock.now,
    quirks: { card: (card, own) => JSON.parse(JSON.stringify(card).replaceAll(own, origin)) as unknown },
  })
  onTestFinished(() => agent.close())
  const proxy = await startProxy(program, configure(Number(new URL(agent.url).port)), port)
  onTestFinished(() => proxy.close())
  const ca = scheme === 'https' ? { ca: proxy.ca } : {}
  // Against a limit of a real proxy, the pauses between requests must be real too.
  return probe({ ...probeOptions(origin, clock), pause: clock.sleep, timeoutMs: 5000, strict: true, ...ca })
}

function expectNoFalseAlarm(report: ProbeReport): void {
  const details = report.checks
    .filter(({ status }) => status === 'fail' || status === 'warn')
    .map(({ id, actual, detail }) => `${id}: ${actual}: ${detail}`)
  expect(findings(report), details.join('\n')).toEqual({})
  expect(report.ok).toBe(true)
  expect(report.checks.filter(({ id, status }) => id === 'auth.valid' && status === 'pass')).toHaveLength(4)
}

const listen = 'listen 127.0.0.1:PORT;'
const passTo = (port: number, more = ''): string =>
  `location / { ${more} proxy_pass http://127.0.0.1:${port}; }`
const zone = 'limit_req_zone $binary_remote_addr zone=calls:1m rate=10r/s;'

const nginx: [name: string, configure: (port: number) => string, scheme?: 'https'][] = [
  ['proxy_pass and nothing else', (port) => nginxConfiguration(`${listen} ${passTo(port)}`)],
  [
    'the usual settings of a reverse proxy',
    (port) =>
      nginxConfiguration(
        `${listen} ${passTo(port, 'proxy_http_version 1.1; proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_buffering off;')}`,
      ),
  ],
  [
    'gzip on',
    (port) =>
      nginxConfiguration(
        `${listen} gzip on; gzip_types *; gzip_min_length 0; gzip_proxied any; ${passTo(port)}`,
      ),
  ],
  [
    'TLS, and HTTP/2 beside HTTP/1.1',
    (port) =>
      nginxConfiguration(
        `listen 127.0.0.1:PORT ssl http2; ssl_certificate CERT; ssl_certificate_key KEY; ${passTo(port)}`,
      ),
    'https',
  ],
  [
    'limit_req 10 r/s',
    (port) => nginxConfiguration(`${listen} ${passTo(port, 'limit_req zone=calls;')}`, zone),
  ],
  [
    'limit_req 10 r/s that answers 429',
    (port) =>
      nginxConfiguration(`${listen} limit_req_status 429; ${passTo(port, 'limit_req zone=calls;')}`, zone),
  ],
  [
    'limit_req 10 r/s with a burst',
    (port) => nginxConfiguration(`${listen} ${passTo(port, 'limit_req zone=calls burst=20;')}`, zone),
  ],
  [
    'limit_req 10 r/s with a burst at once',
    (port) => nginxConfiguration(`${listen} ${passTo(port, 'limit_req zone=calls burst=20 nodelay;')}`, zone),
  ],
]

describeWithProxy('nginx', 'a right agent behind nginx with', () => {
  it.each(nginx)('%s raises no false alarm', async (_, configure, scheme) => {
    expectNoFalseAlarm(await probeBehind('nginx', configure, scheme))
  })
})

const limit = `stick-table type ip size 1k expire 10s store http_req_rate(1s)
http-request track-sc0 src
http-request deny deny_status STATUS if { sc_http_req_rate(0) gt 10 }`

const haproxy: [name: string, rules: string, bind?: string][] = [
  ['nothing else', ''],
  ['X-Forwarded-For', 'option forwardfor'],
  ['TLS, and HTTP/2 beside HTTP/1.1', '', 'ssl crt CERT alpn h2,http/1.1'],
  ['a limit of 10 requests a second, 429', limit.replace('STATUS', '429')],
  ['a limit of 10 requests a second, 503', limit.replace('STATUS', '503')],
]

describeWithProxy('haproxy', 'a right agent behind HAProxy with', () => {
  it.each(haproxy)('%s raises no false alarm', async (_, rules, bind) => {
    const configure = (port: number): string => haproxyConfiguration(port, rules, bind)
    expectNoFalseAlarm(await probeBehind('haproxy', configure, bind === undefined ? 'http' : 'https'))
  })
})
