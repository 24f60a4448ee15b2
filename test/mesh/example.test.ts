import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { totpFetchFromFile } from '../../src/client/index.js'
import { binary, makeFolder, runBinary, type CliRun } from '../support/cli.js'
import { freePorts } from '../support/free-ports.js'

const example = fileURLToPath(new URL('../../examples/mesh', import.meta.url))

/** Who may call whom, as the file and its page say. */
const edges: Readonly<Record<string, readonly string[]>> = {
  alice: ['billing', 'stock', 'orders', 'search'],
  bob: ['stock', 'orders'],
  carol: ['billing', 'search'],
  dave: ['orders', 'search'],
  erin: ['billing', 'stock'],
}
const agents = ['billing', 'stock', 'orders', 'search']
const proxied = ['dave', 'erin']

interface Running {
  readonly cwd: string
  /** By `peer agent`: where that call begins. */
  readonly urls: ReadonlyMap<string, string>
  readonly mesh: (...args: string[]) => Promise<CliRun>
}

/** A copy of the example at free ports, with everything applied. */
async function applied(): Promise<Running> {
  const cwd = makeFolder()
  cpSync(example, cwd, { recursive: true })
  const first = await freePorts(8)
  const [dave, erin] = [first + 4, first + 6]
  const ports = new Map([
    ...agents.map((_, index): [string, number] => [String(4101 + index), first + index]),
    ['4201', dave],
    ['4301', erin],
  ])
  for (const name of ['mesh.yaml', 'start.sh']) {
    const text = readFileSync(join(cwd, name), 'utf8')
    const moved = text.replace(/(?<=127\.0\.0\.1:|--port )\d{4}/g, (port) => String(ports.get(port) ?? port))
    writeFileSync(join(cwd, name), moved)
  }
  const urls = new Map<string, string>()
  for (const [peer, called] of Object.entries(edges)) {
    for (const [index, agent] of called.entries()) {
      const own = peer === 'dave' ? dave + index : peer === 'erin' ? erin + index : undefined
      urls.set(`${peer} ${agent}`, `http://127.0.0.1:${own ?? first + agents.indexOf(agent)}`)
    }
  }
  const mesh = (...args: string[]): Promise<CliRun> => runBinary(['mesh', ...args], { cwd })
  expect(await mesh('apply')).toMatchObject({ exitCode: 0 })
  return { cwd, urls, mesh }
}

/** Runs start.sh until the test is over, and waits for the URLs of agents and proxies. */
async function started({ cwd, urls }: Running): Promise<void> {
  const bin = join(cwd, '.bin')
  mkdirSync(bin)
  symlinkSync(binary, join(bin, 'a2a-totp'))
  const env = { PATH: `${bin}:${process.env['PATH'] ?? ''}`, HOME: cwd, XDG_CACHE_HOME: '/dev/null' }
  const child = spawn('sh', ['start.sh'], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  const { pid = 0 } = child
  onTestFinished(async () => {
    const ended = child.exitCode === null ? once(child, 'exit') : undefined
    process.kill(-pid, 'SIGTERM')
    await ended
  })
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const missing = new Set(urls.values())
  for await (const line of createInterface({ input: child.stdout })) {
    missing.delete(line.replace('/.well-known/agent-card.json', ''))
    if (missing.size === 0) return
  }
  throw new Error(`not started: ${[...missing].join(', ')}: ${stderr}`)
}

const question = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'GetTask', params: { id: 'none' } })
const init = {
  method: 'POST',
  headers: { 'Content-Type': 'application/json', 'A2A-Version': '1.0' },
  body: question,
}

it('creates a store and a server file for each agent, a client file for each peer, and has nothing left to do', async () => {
  const { cwd, mesh } = await applied()
  for (const name of agents) {
    expect(existsSync(join(cwd, 'stores', `${name}.json`))).toBe(true)
    expect(existsSync(join(cwd, 'server', `${name}.json`))).toBe(true)
  }
  for (const [peer, called] of Object.entries(edges)) {
    const file = JSON.parse(readFileSync(join(cwd, 'clients', `${peer}.json`), 'utf8')) as {
      peer: string
      agents: object
    }
    expect([file.peer, Object.keys(file.agents)]).toEqual([peer, called])
  }
  expect(await mesh('plan', '--check')).toMatchObject({ exitCode: 0 })
})

it('lets each declared edge in, two peers through a proxy, and no other', { timeout: 120_000 }, async () => {
  const running = await applied()
  const { cwd, urls, mesh } = running
  await started(running)
  for (const [peer, called] of Object.entries(edges)) {
    const own = totpFetchFromFile(join(cwd, 'clients', `${peer}.json`))
    const call = proxied.includes(peer) ? fetch : own
    for (const agent of called) {
      const response = await call(`${urls.get(`${peer} ${agent}`) ?? ''}/a2a/jsonrpc`, init)
      expect([peer, agent, response.status, await response.json()]).toMatchObject([
        ...[peer, agent, 200],
        { error: { code: -32001 } },
      ])
    }
    own.close()
  }
  const bob = totpFetchFromFile(join(cwd, 'clients/bob.json'))
  await expect(bob(urls.get('alice billing') ?? '', init)).rejects.toMatchObject({
    code: 'ERR_HOST_FORBIDDEN',
  })
  bob.close()

  const proof = await mesh('prove', '--json')
  expect(proof, proof.stdout + proof.stderr).toMatchObject({ exitCode: 0 })
  const { ok, matrix } = JSON.parse(proof.stdout) as {
    ok: boolean
    matrix: { peer: string; agent: string; declared: boolean; admitted: boolean | null }[]
  }
  expect(ok).toBe(true)
  expect(matrix).toHaveLength(20)
  for (const { peer, agent, declared, admitted } of matrix) {
    expect([peer, agent, declared]).toEqual([peer, agent, edges[peer]?.includes(agent)])
    expect([peer, agent, admitted]).toEqual([peer, agent, declared])
  }
})

it('refuses an edge that was taken away with the credentials that it had', { timeout: 120_000 }, async () => {
  const running = await applied()
  const { cwd, urls, mesh } = running
  await started(running)
  const before = totpFetchFromFile(join(cwd, 'clients/bob.json'))
  before.close()
  const target = `${urls.get('bob orders') ?? ''}/a2a/jsonrpc`
  expect((await before(target, init)).status).toBe(200)
  const file = join(cwd, 'mesh.yaml')
  writeFileSync(file, readFileSync(file, 'utf8').replace('calls: [stock, orders]\n', 'calls: [stock]\n'))
  expect(await mesh('plan', '--check')).toMatchObject({ exitCode: 1 })
  expect(await mesh('apply', '--prune', '--yes')).toMatchObject({ exitCode: 0 })
  await expect.poll(async () => (await before(target, init)).status).toBe(401)
  const proof = await mesh('prove', '--json')
  expect(proof, proof.stdout + proof.stderr).toMatchObject({ exitCode: 0 })
  const { matrix } = JSON.parse(proof.stdout) as {
    matrix: { peer: string; agent: string; removed?: true; admitted: boolean | null }[]
  }
  expect(matrix.filter(({ removed }) => removed)).toMatchObject([
    { peer: 'bob', agent: 'orders', admitted: false },
  ])
  expect(await mesh('plan', '--check')).toMatchObject({ exitCode: 0 })
})

it('is drawn, with each of its edges', async () => {
  const { cwd, mesh } = await applied()
  expect(await mesh('show', '--out', 'mesh.svg')).toMatchObject({ exitCode: 0 })
  expect(readFileSync(join(cwd, 'mesh.svg'), 'utf8')).toContain('<svg')
  const { stdout } = await mesh('show', '--json')
  const { edges: shown } = JSON.parse(stdout) as { edges: { peer: string; agent: string }[] }
  for (const [peer, called] of Object.entries(edges))
    expect(shown.filter((edge) => edge.peer === peer).map(({ agent }) => agent)).toEqual(called)
})
