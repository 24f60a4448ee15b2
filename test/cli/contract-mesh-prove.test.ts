import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { createServer as createHttpServer } from 'node:http'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { parseJson, startBinary, type CliRun } from '../support/cli.js'
import { freePorts } from '../support/free-ports.js'
import { MeshFolder } from '../support/mesh-folder.js'

// What the contract says of `mesh prove`, `show` and `status`, with real agents that follow their server files.

interface Cell {
  readonly peer: string
  readonly agent: string
  readonly declared: boolean
  readonly admitted: boolean | null
  readonly checks: readonly { readonly id: string; readonly status: string }[]
}

const meshOf = (port: number, bob: string): string => `version: 1
defaults:
  serverFile: server/{name}.json
agents:
  billing: { url: 'http://127.0.0.1:${port}' }
  search: { url: 'http://127.0.0.1:${port + 1}' }
peers:
  alice: { calls: [billing, search] }
  bob: { calls: [${bob}] }
`

/** Starts a demo agent that follows its server file, as a user does. */
async function serve(mesh: MeshFolder, agent: string, port: number): Promise<void> {
  const args = [
    'demo',
    '--server-file',
    `server/${agent}.json`,
    '--port',
    String(port),
    '--bindings',
    'jsonrpc',
  ]
  const child = startBinary([...args, '--json'], { cwd: mesh.cwd })
  const lines = child.stdout
  if (!lines) throw new Error('no output')
  const [line] = (await once(lines, 'data')) as [Buffer]
  expect(JSON.parse(line.toString().split('\n')[0] ?? '')).toHaveProperty('card')
}

async function running(): Promise<{ mesh: MeshFolder; port: number }> {
  const port = await freePorts(2)
  const mesh = new MeshFolder(meshOf(port, 'billing'))
  await mesh.done('apply')
  await serve(mesh, 'billing', port)
  await serve(mesh, 'search', port + 1)
  return { mesh, port }
}

/** Each cell of the matrix as `peer agent: declared admitted`. */
const cells = (run: CliRun): string[] =>
  (parseJson(run)['matrix'] as Cell[]).map(
    ({ peer, agent, declared, admitted }) => `${peer} ${agent}: ${declared} ${admitted}`,
  )

describe('mesh prove', () => {
  it('lets declared edges in, refuses all others, and forgets a removed peer once it is refused', async () => {
    const { mesh, port } = await running()
    const run = await mesh.done('prove', '--json', '--concurrency', '2')
    expect(run.stderr).toBe('')
    expect(parseJson(run)['ok']).toBe(true)
    expect(cells(run)).toEqual([
      'alice billing: true true',
      'alice search: true true',
      'bob billing: true true',
      'bob search: false false',
    ])
    for (const { declared, checks } of parseJson(run)['matrix'] as Cell[]) {
      if (!declared) continue
      for (const id of ['auth.none', 'auth.bearer-only', 'auth.cross-peer', 'auth.valid'])
        expect(checks).toContainEqual(expect.objectContaining({ id, status: 'pass' }))
    }
    mesh.declare(meshOf(port, ''))
    await mesh.done('apply', '--prune', '--yes')
    const removed = await mesh.done('prove', '--json', '--wait', '5')
    expect(cells(removed)).toContain('bob billing: false false')
    expect(mesh.text('stores/billing.json')).not.toContain('removed')
    expect(mesh.text('stores/billing.json')).not.toContain('bob')
  })

  it('fails and names the agent whose server file is stale', async () => {
    const { mesh, port } = await running()
    mesh.declare(meshOf(port, 'billing').replace('  serverFile: server/{name}.json', '  overlap: 1h'))
    await mesh.done('rotate', '--now', '--yes', '--only', 'alice:search')
    const run = await mesh.run(['prove', '--json'])
    expect(run.exitCode).toBe(1)
    expect(parseJson(run)).toMatchObject({
      ok: false,
      diagnosis: expect.stringContaining('search') as string,
    })
    expect(cells(run)).toContain('alice search: true false')
    expect(cells(run)).toContain('bob billing: true true')
  })

  it('writes several forms at once, and keeps the report for the page of mesh status', async () => {
    const { mesh } = await running()
    const files = {
      json: 'm.json',
      junit: 'm.xml',
      sarif: 'm.sarif',
      html: 'm.html',
      tap: 'm.tap',
      markdown: 'm.md',
    }
    const formats = Object.entries(files).flatMap(([format, file]) => ['--format', `${format}=${file}`])
    const run = await mesh.done('prove', ...formats, '--format', 'openmetrics=m.prom', '--format', 'github')
    for (const file of [...Object.values(files), 'm.prom']) expect(mesh.text(file)).toContain('mesh')
    expect(run.stderr).toContain('wrote m.xml')
    expect(readdirSync(join(mesh.cwd, 'reports'))).toHaveLength(1)
    const page = await mesh.done('status')
    expect(page.stdout).toMatch(/^<!doctype html>/)
    expect(page.stdout).toContain('alice')
    expect(page.stderr).toBe('')
  })

  it('never sends an agent the token or seed of an edge to another agent', async () => {
    const port = await freePorts(2)
    const seen: string[] = []
    const listening = createHttpServer((request, response) => {
      seen.push(`${request.method} ${request.url} ${request.rawHeaders.join('\n')}`)
      request.on('data', (chunk: Buffer) => seen.push(chunk.toString()))
      response.writeHead(401, { 'www-authenticate': 'Bearer' }).end()
    }).listen(port, '127.0.0.1')
    onTestFinished(() => void listening.close())
    await once(listening, 'listening')
    const mesh = new MeshFolder(meshOf(port, 'billing, search'))
    await mesh.done('apply')
    await serve(mesh, 'search', port + 1)
    const run = await mesh.run(['prove', '--json', '--isolation'])
    expect(run.exitCode).toBe(1)
    expect(seen.length).toBeGreaterThan(0)
    const secretsOf = (agent: string): string[] =>
      Object.values(mesh.store(agent).peers).flatMap(({ seeds, tokens }) => [
        ...seeds.map(({ seed }) => seed),
        ...tokens.map(({ token }) => token),
      ])
    for (const secret of secretsOf('search')) expect(seen.join('\n')).not.toContain(secret)
    for (const secret of [...secretsOf('search'), ...secretsOf('billing')])
      expect(run.stdout + run.stderr).not.toContain(secret)
  })

  it('exits with 4 and still prints its report where nothing answers', async () => {
    const closed = createServer().listen(0, '127.0.0.1')
    await once(closed, 'listening')
    const { port } = closed.address() as AddressInfo
    closed.close()
    const mesh = new MeshFolder(meshOf(port, 'billing').replace(`${port + 1}`, `${port}/search`))
    await mesh.done('apply')
    const run = await mesh.run(['prove', '--json'])
    expect([run.exitCode, parseJson(run)['ok']]).toEqual([4, false])
  })
})

describe('mesh show', () => {
  it('draws the same mesh as text, as data and as pictures, and holds no secret', async () => {
    const mesh = new MeshFolder(meshOf(9001, 'billing'))
    await mesh.done('apply')
    const secrets = Object.values(mesh.store('billing').peers).flatMap(({ seeds, tokens }) => [
      ...seeds.map(({ seed }) => seed),
      ...tokens.map(({ token }) => token),
    ])
    for (const format of ['table', 'json', 'mermaid', 'svg', 'html']) {
      const { stdout } = await mesh.done('show', '--format', format)
      for (const name of ['billing', 'search', 'alice', 'bob']) expect(stdout).toContain(name)
      for (const secret of secrets) expect(stdout).not.toContain(secret)
    }
    const state = readFileSync(mesh.path('mesh.yaml.state'), 'utf8')
    for (const secret of secrets) expect(state).not.toContain(secret)
    expect(existsSync(mesh.path('reports'))).toBe(false)
  })
})
