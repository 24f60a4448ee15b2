import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseJson, runCli, type CliRun } from '../support/cli.js'
import { MeshFolder, rowsOf, type Row } from '../support/mesh-folder.js'

// Section 9 of the contract, from its words alone: what a script that drives a mesh holds on to.

const text = `# who calls whom
version: 1
defaults:
  replay: reuse
  signed: observe
  algorithm: SHA1
  digits: 6
  period: 30
  overlap: 24h
  rotateAfter: 90d
agents:
  billing:
    url: http://127.0.0.1:9001
  search:
    url: http://127.0.0.1:9002
    store: other/search-store.json
    replay: once
    signed: accept
    digits: 8
peers:
  alice:
    calls: [billing, search]
    note: the front desk
  bob:
    calls: [billing]
`

const storeRun = (mesh: MeshFolder, store: string, ...args: string[]): Promise<CliRun> =>
  runCli(['--store', store, ...args], { cwd: mesh.cwd })

const modeOf = (path: string): number => statSync(path).mode & 0o777

/** What a row says, in words. */
const words = (rows: readonly Row[]): string[] =>
  rows.map(
    ({ action, peer = '-', agent, done }) => `${action} ${peer} ${agent} ${done ? 'done' : 'not done'}`,
  )

describe('mesh plan and mesh apply', () => {
  it('need nothing but the file in the working directory', async () => {
    const mesh = new MeshFolder(text)
    const plan = await mesh.done('plan', '--json')
    expect(words(rowsOf(plan))).toEqual([
      'create - billing not done',
      'create alice billing not done',
      'create bob billing not done',
      'create - search not done',
      'create alice search not done',
    ])
    expect((await mesh.run(['plan', '--check'])).exitCode).toBe(1)
    expect(readdirSync(mesh.cwd)).toEqual(['mesh.yaml'])
    const rows = await mesh.rows('apply')
    expect(rows.every(({ done }) => done)).toBe(true)
    expect(rows.map((row) => ({ ...row, done: false }))).toEqual(rowsOf(plan))
    expect(modeOf(mesh.path('stores/billing.json'))).toBe(0o600)
    expect(modeOf(mesh.path('other/search-store.json'))).toBe(0o600)
    const before = mesh.text('stores/billing.json')
    await mesh.done('plan', '--check')
    expect(await mesh.rows('apply')).toEqual([])
    expect(mesh.text('stores/billing.json')).toBe(before)
  })

  it('give each edge its own seed and token, and the policies of the file', async () => {
    const mesh = new MeshFolder(text)
    await mesh.done('apply')
    const alice = parseJson(await mesh.done('config', 'client', 'alice')) as {
      agents: Record<string, Record<string, unknown>>
    }
    expect(alice).toMatchObject({ version: 1, peer: 'alice' })
    const { billing = {}, search = {} } = alice.agents
    expect(billing).toMatchObject({ replay: 'reuse', signed: 'observe', digits: 6, header: 'X-TOTP' })
    expect(search).toMatchObject({
      replay: 'once',
      signed: 'accept',
      digits: 8,
      algorithm: 'SHA1',
      period: 30,
    })
    const [bob, sameBob] = [
      await storeRun(mesh, 'stores/billing.json', 'config', 'client', 'bob', '--format', 'json'),
      await mesh.done('config', 'client', 'bob'),
    ].map(parseJson)
    expect(sameBob).toEqual(bob)
    const own = bob as { seed: string; token: string }
    expect(new Set([billing['seed'], search['seed'], own.seed]).size).toBe(3)
    expect(new Set([billing['token'], search['token'], own.token]).size).toBe(3)
  })

  it('are in the record of each store, with the peers that they made', async () => {
    const mesh = new MeshFolder(text)
    await mesh.done('apply')
    const logOf = async (...args: string[]): Promise<object[]> =>
      parseJson(await storeRun(mesh, 'stores/billing.json', 'log', '--json', ...args))['entries'] as object[]
    expect(await logOf()).toEqual([
      expect.objectContaining({ command: 'mesh apply', peers: ['alice', 'bob'] }),
    ])
    expect(await logOf('--peer', 'bob')).toHaveLength(1)
    expect(await logOf('--peer', 'carol')).toEqual([])
  })

  it('say what is wrong with a file on one line of stderr, and exit with 3', async () => {
    for (const [broken, path] of [
      [text.replace('version: 1', 'version: 2'), 'version'],
      [text.replace('[billing, search]', '[billing, serch]'), 'did you mean search'],
      [text.replace('note:', 'nota:'), 'peers.alice.nota'],
      [text.replace('    url: http://127.0.0.1:9001\n', '    replay: reuse\n'), 'agents.billing.url'],
      [`${text}\n  : : [`, 'line 27'],
      [text.replace('reuse', '"::error::##[x]"'), 'defaults.replay'],
    ] as const) {
      const mesh = new MeshFolder(broken)
      for (const command of ['plan', 'apply', 'prove', 'show', 'status']) {
        const run = await mesh.run([command])
        expect(run).toMatchObject({ exitCode: 3, stdout: '' })
        expect(run.stderr).toMatch(/^error: [^\n]*line \d+: [^\n]* \(ERR_CONFIG_INVALID\)\n$/)
        expect(run.stderr).toContain(path)
        expect(run.stderr).not.toMatch(/::error|##\[/)
      }
      const { exitCode, stdout, stderr } = await mesh.run(['apply', '--json'])
      expect([exitCode, stdout]).toEqual([3, ''])
      expect(JSON.parse(stderr)).toEqual({
        error: { code: 'ERR_CONFIG_INVALID', message: expect.any(String) as string },
      })
    }
  })

  it('encrypt stores for an age recipient, and open all of them with one identity', async () => {
    const key = execFileSync('age-keygen', { stdio: ['ignore', 'pipe', 'ignore'] }).toString()
    const mesh = new MeshFolder(text)
    writeFileSync(join(mesh.home, 'key.txt'), key, { mode: 0o600 })
    const env = { A2A_TOTP_IDENTITY: join(mesh.home, 'key.txt') }
    await mesh.done('apply', '--encrypt-to', /age1\w+/.exec(key)?.[0] ?? '')
    for (const store of ['stores/billing.json', 'other/search-store.json'])
      expect(mesh.text(store)).toMatch(/^age-encryption\.org/)
    for (const command of ['plan', 'apply', 'rotate', 'prove'])
      expect(await mesh.run([command])).toMatchObject({ exitCode: 3, stdout: '' })
    expect((await mesh.run(['plan', '--check'], { env })).exitCode).toBe(0)
    expect((await mesh.run(['rotate', '--only', 'alice:search'], { env })).exitCode).toBe(0)
    expect(mesh.text('other/search-store.json')).toMatch(/^age-encryption\.org/)
  })
})

/** Notes who is delivered to, and keeps what arrives; fails while a file says so. */
const noted =
  'echo "${A2A_TOTP_PEER:-server} $A2A_TOTP_AGENT" >> order; ' +
  'cat > "out-${A2A_TOTP_PEER:-server-$A2A_TOTP_AGENT}.json"; test ! -e "fail-${A2A_TOTP_PEER:-server}"'

const delivering = (peers: object = {}): object => ({
  agents: {
    billing: { url: 'http://127.0.0.1:9001', deliver: noted },
    search: { url: 'http://127.0.0.1:9002', deliver: noted },
  },
  peers: {
    alice: { calls: ['billing', 'search'], deliver: noted },
    bob: { calls: ['billing'], deliver: noted },
    ...peers,
  },
})

class Delivered extends MeshFolder {
  /** Whom deliveries went to since the last time, in their order. */
  order(): string[] {
    const lines = this.text('order').trim().split('\n')
    writeFileSync(this.path('order'), '')
    return lines
  }

  fails(...peers: string[]): void {
    for (const peer of peers) writeFileSync(this.path(`fail-${peer}`), '')
  }

  letIn(agent: string): string[] {
    return Object.keys((this.json(`out-server-${agent}.json`) as { peers: object }).peers)
  }

  static async made(): Promise<Delivered> {
    const mesh = new Delivered(delivering())
    await mesh.done('apply', '--allow-commands')
    return mesh
  }
}

describe('the deliveries of a mesh', () => {
  it('run only in apply and rotate, and only when allowed', async () => {
    const mesh = new Delivered(delivering())
    const refused = await mesh.run(['apply'])
    expect(refused).toMatchObject({ exitCode: 2, stdout: '' })
    expect(refused.stderr).toContain('--allow-commands')
    expect(existsSync(mesh.path('stores'))).toBe(false)
    await mesh.done('apply', '--allow-commands')
    mesh.order()
    await mesh.run(['rotate', '--dry-run'])
    for (const command of ['plan', 'prove', 'show', 'status']) await mesh.run([command])
    await mesh.done('config', 'client', 'alice')
    expect(mesh.order()).toEqual([''])
    await mesh.done('rotate', '--only', 'bob:billing')
    expect(mesh.order()).toContain('bob billing')
  })

  it('go to agents first, then to peers, and then what is old ends', async () => {
    const mesh = await Delivered.made()
    const order = mesh.order()
    expect(order.slice(0, 2).sort()).toEqual(['server billing', 'server search'])
    expect(order.slice(2).sort()).toEqual(['alice billing,search', 'bob billing'])
    await mesh.done('rotate', '--only', 'bob:billing')
    expect(mesh.order()).toEqual(['server billing', 'bob billing', 'server billing'])
    await mesh.done('plan', '--check')
  })

  it('tell the agent of a removal, whatever the delivery to the peer does, and the next run goes on', async () => {
    const mesh = await Delivered.made()
    mesh.declare(delivering({ alice: { calls: ['search'], deliver: noted } }))
    mesh.fails('alice')
    mesh.order()
    expect((await mesh.run(['plan', '--check'])).exitCode).toBe(1)
    // Without --prune nobody is locked out: the peer keeps what it has.
    await mesh.done('apply')
    expect(mesh.order().join()).toBe('')
    expect(mesh.letIn('billing')).toEqual(['alice', 'bob'])
    const run = await mesh.run(['apply', '--prune', '--yes', '--json'])
    expect(run.exitCode).toBe(1)
    expect(words(rowsOf(run))).toEqual([
      'remove alice billing done',
      'deliver - billing done',
      'deliver alice search not done',
    ])
    expect(mesh.order()).toEqual(['server billing', 'alice search'])
    expect(mesh.letIn('billing')).toEqual(['bob'])
    rmSync(mesh.path('fail-alice'))
    expect(words(await mesh.rows('apply'))).toEqual(['deliver alice search done'])
    await mesh.done('plan', '--check')
  })

  it('tell the agent of an expiry, and of what --now ends, whatever the delivery to the peer does', async () => {
    const mesh = await Delivered.made()
    mesh.fails('alice', 'bob')
    const seedsOfBob = (): unknown[] =>
      (mesh.json('out-server-billing.json') as { peers: { bob: { seeds: { id: string }[] } } }).peers.bob
        .seeds
    const before = seedsOfBob()
    mesh.order()
    const now = await mesh.run(['rotate', '--only', 'bob:billing', '--now', '--yes'])
    expect(now.exitCode).toBe(1)
    expect(mesh.order()).toEqual(['server billing', 'bob billing'])
    expect(seedsOfBob()).toHaveLength(1)
    expect(seedsOfBob()).not.toEqual(before)
    mesh.declare(
      delivering({ alice: { calls: ['search'], expires: '2020-01-01T00:00:00Z', deliver: noted } }),
    )
    await mesh.run(['apply', '--allow-commands'])
    expect(mesh.letIn('search')).toEqual([])
  })
})

describe('mesh rotate', () => {
  it('exits with 1, as rotate does, where an edge cannot be rotated, and says what can be done', async () => {
    const mesh = new MeshFolder(text)
    await mesh.done('apply')
    expect(words(await mesh.rows('rotate', '--only', 'bob:billing'))).toEqual(['rotate bob billing done'])
    const before = mesh.text('stores/billing.json')
    const again = await mesh.run(['rotate', '--only', 'bob:billing', '--json'])
    expect(again.exitCode).toBe(1)
    expect(words(rowsOf(again))).toEqual(['rotate bob billing not done'])
    expect(rowsOf(again)[0]?.problem).toMatch(/2 live seeds.*--store \S*billing\.json rotate bob --finish/)
    expect(again.stderr).not.toContain('mesh apply')
    expect(mesh.text('stores/billing.json')).toBe(before)
    expect(await mesh.run(['rotate', '--only', 'bob:billing', '--dry-run'])).toMatchObject({
      exitCode: 1,
      stdout: expect.stringContaining('2 live seeds') as string,
    })
    const all = await mesh.run(['rotate', '--json'])
    expect(all.exitCode).toBe(1)
    expect(words(rowsOf(all)).sort()).toEqual([
      'rotate alice billing done',
      'rotate alice search done',
      'rotate bob billing not done',
    ])
  })

  it('exits with 1 for an edge that no store has yet, and makes none', async () => {
    const mesh = new MeshFolder(text)
    const run = await mesh.run(['rotate', '--only', 'bob:billing'])
    expect(run.exitCode).toBe(1)
    expect(run.stdout).toContain('mesh apply')
    expect(readdirSync(mesh.cwd)).toEqual(['mesh.yaml'])
  })

  it('takes the edges that are older', async () => {
    const mesh = new MeshFolder(text)
    await mesh.done('apply')
    expect(await mesh.rows('rotate', '--older-than', '90d')).toEqual([])
    const now = new Date(Date.now() + 91 * 86_400_000)
    const run = await mesh.run(['rotate', '--older-than', '90d', '--only', 'alice:search', '--json'], { now })
    expect(words(rowsOf(run))).toEqual(['rotate alice search done'])
  })
})

describe('a token that is known by its hash alone', () => {
  async function withHashes(): Promise<MeshFolder> {
    const mesh = new MeshFolder(text)
    await mesh.done('apply')
    const server = await storeRun(mesh, 'stores/billing.json', 'config', 'server')
    writeFileSync(mesh.path('server.json'), server.stdout)
    rmSync(mesh.path('stores/billing.json'))
    const init = ['init', '--agent', 'billing', '--url', 'http://127.0.0.1:9001']
    await storeRun(mesh, 'stores/billing.json', ...init)
    await storeRun(mesh, 'stores/billing.json', 'import', 'server.json')
    return mesh
  }

  it('is refused with exit code 3 where it would be needed, naming the rotation', async () => {
    const mesh = await withHashes()
    const prove = await mesh.run(['prove'])
    expect(prove).toMatchObject({ exitCode: 3, stdout: '' })
    expect(prove.stderr).toMatch(/rotate alice --token/)
    const client = await mesh.run(['config', 'client', 'bob'])
    expect(client).toMatchObject({ exitCode: 3, stdout: '' })
    expect(client.stderr).toContain('`a2a-totp mesh rotate --only bob:billing --token`')
    expect(client.stderr).toContain('(ERR_TOKEN_UNKNOWN)')
  })

  it('is remarked on with the command that ends it, whole', async () => {
    const mesh = await withHashes()
    const { stderr } = await mesh.done('plan')
    expect(stderr).toContain('`a2a-totp mesh rotate --only bob:billing --token`')
    await mesh.done('rotate', '--only', 'bob:billing', 'alice:billing', '--token')
    await mesh.done('apply')
    expect((await mesh.done('plan', '--check')).stderr).toBe('')
    await mesh.done('config', 'client', 'bob')
  })

  it('is no reason where no store knows the peer yet', async () => {
    const run = await new MeshFolder(text).run(['config', 'client', 'bob'])
    expect(run).toMatchObject({ exitCode: 3, stdout: '' })
    expect(run.stderr).toMatch(/mesh apply.*\(ERR_STORE_MISSING\)/)
  })
})

describe('undo after mesh apply', () => {
  it('names what becomes valid again, and the next plan names the difference', async () => {
    const mesh = new MeshFolder(text)
    await mesh.done('apply')
    mesh.declare(text.replace('  bob:\n    calls: [billing]\n', ''))
    await mesh.done('apply', '--prune', '--yes')
    const asked = await storeRun(mesh, 'stores/billing.json', 'undo')
    expect(asked.exitCode).toBe(2)
    expect(asked.stderr).toContain('valid again: bob')
    expect((await storeRun(mesh, 'stores/billing.json', 'undo', '--yes')).exitCode).toBe(0)
    expect(words(await mesh.rows('plan'))).toEqual(['remove bob billing not done'])
  })
})
