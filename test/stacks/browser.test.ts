import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { serveAdmin } from '../../src/service/admin.js'
import { attackPage, meansOfPages, rebound } from '../support/browser-attacks.js'
import { Browser, chromium } from '../support/browser.js'
import { makeFolder } from '../support/cli.js'
import { proxied } from '../support/proxied.js'
import { listen, record } from '../support/recording-server.js'

/** Opens a page in a browser in which `rebound.test` is 127.0.0.2. */
async function openPage(url: string): Promise<void> {
  const browser = await Browser.start([
    '--host-resolver-rules=MAP rebound.test 127.0.0.2',
    '--autoplay-policy=no-user-gesture-required',
  ])
  onTestFinished(() => browser.close())
  await browser.call('Page.navigate', { url })
}

/** The means that got through, from paths such as `/to-proxy/img`. */
const meansIn = (paths: readonly string[]): string[] =>
  [...new Set(paths.map((path) => path.replace(/^.*\//, '').replace(/\?.*$/, '')))].sort()
const everyMeans = [...meansOfPages].sort()

/** A server that lets everybody in, to show that the page really tries. */
async function openServer(): Promise<{ origin: string; paths: string[] }> {
  const paths: string[] = []
  const server = await listen((req, res) => {
    paths.push(req.url ?? '')
    // So that what is asked for in advance is sent, too.
    res.setHeader('Access-Control-Allow-Origin', '*')
    res.setHeader('Access-Control-Allow-Headers', '*')
    res.end()
  })
  onTestFinished(() => server[Symbol.asyncDispose]())
  return { origin: server.origin, paths }
}

async function adminListener(): Promise<{ url: string; served: string[] }> {
  const served: string[] = []
  const page = (name: string) => () => void served.push(name)
  const listener = await serveAdmin(
    { host: '127.0.0.1', port: 0 },
    {
      ready: page('/readyz'),
      metrics: () => (page('/metrics')(), '# EOF\n'),
      status: () => (page('/status')(), {}),
      jwks: () => (page('/jwks.json')(), {}),
    },
  )
  onTestFinished(() => listener.stop())
  return { url: `http://${listener.address}`, served }
}

const pathsOfAdmin = ['/readyz', '/metrics', '/status', '/jwks.json']
const portOf = (url: string): number => Number(new URL(url).port)

describe.skipIf(chromium === undefined)('a page in Chromium', () => {
  it.each([
    ['of another port of this machine', 'http'],
    ['of a file', 'file'],
    ['in a sandboxed frame', 'sandbox'],
  ])('%s passes nothing through the proxy, and reads nothing of the admin listener', async (_, kind) => {
    await using agent = await record()
    const [open, admin, proxy] = [await openServer(), await adminListener(), await proxied(agent.origin)]
    const names = ['localhost', '127.0.0.1', '0.0.0.0']
    const at = (url: string): string[] => names.map((name) => `http://${name}:${portOf(url)}`)
    const page = attackPage([
      ...[...at(proxy.url), ...at(admin.url)].map((url) => `${url}/tried`),
      `${open.origin}/tried`,
    ])
    const quoted = page.replaceAll('&', '&amp;').replaceAll('"', '&quot;')
    const html = kind === 'sandbox' ? `<iframe sandbox="allow-scripts allow-forms" srcdoc="${quoted}">` : page
    const file = join(makeFolder(), 'page.html')
    writeFileSync(file, html)
    const server = await listen((_req, res) => res.setHeader('Content-Type', 'text/html').end(html))
    onTestFinished(() => server[Symbol.asyncDispose]())
    await openPage(kind === 'file' ? `file://${file}` : server.origin.replace('127.0.0.1', 'localhost'))
    await expect.poll(() => meansIn(open.paths)).toEqual(everyMeans)
    await expect.poll(() => meansIn(proxy.calls.map(({ path }) => path))).toEqual(everyMeans)
    expect(proxy.calls.filter(({ own }) => own !== 'browser')).toEqual([])
    expect(agent.requests).toEqual([])
    expect(admin.served).toEqual([])
  })

  it('of a name that is rebound passes nothing through the proxy', async () => {
    await using agent = await record()
    const [open, proxy] = [await openServer(), await proxied(agent.origin)]
    const own = `http://rebound.test:${portOf(proxy.url)}`
    await rebound(portOf(proxy.url), attackPage([`${own}/tried`, `${open.origin}/tried`]))
    await openPage(`${own}/page`)
    await expect.poll(() => meansIn(open.paths)).toEqual(everyMeans)
    await expect
      .poll(() => meansIn(proxy.calls.map(({ path }) => path)))
      .toEqual(expect.arrayContaining(everyMeans))
    expect(proxy.calls.filter(({ own: reason }) => reason !== 'browser')).toEqual([])
    expect(agent.requests).toEqual([])
  })

  it('of a name that is rebound reads nothing of the admin listener', async () => {
    const [open, admin] = [await openServer(), await adminListener()]
    const own = `http://rebound.test:${portOf(admin.url)}`
    const read = pathsOfAdmin.map(
      (path) =>
        `fetch(${JSON.stringify(path)}).then((answer) => fetch(${JSON.stringify(`${open.origin}/`)} + answer.status + ${JSON.stringify(path)}))`,
    )
    const page = `${attackPage([`${own}/tried`])}<script>${read.join('\n')}</script>`
    await rebound(portOf(admin.url), page)
    await openPage(`${own}/page`)
    await expect.poll(() => [...open.paths].sort()).toEqual(pathsOfAdmin.map((path) => `/403${path}`).sort())
    expect(admin.served).toEqual([])
  })
})

it.skipIf(chromium !== undefined)('needs Chromium: apt-get install chromium, or $CHROMIUM', () => undefined)
