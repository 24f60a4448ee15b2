import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { agentsOf, MeshFolder, rowsOf, type ClientFile, type ServerFile } from '../support/mesh-folder.js'

const into = (folder: string): string =>
  `echo "$A2A_TOTP_PEER<$A2A_TOTP_AGENT" >> order; mkdir -p ${folder}; cat > "${folder}/\${A2A_TOTP_PEER:-$A2A_TOTP_AGENT}.json"`

function commanded(agentCommand = into('agents'), peerCommand = into('peers')) {
  const agents = agentsOf('billing', 'ledger')
  return {
    agents: Object.fromEntries(
      Object.entries(agents).map(([name, one]) => [name, { ...one, deliver: agentCommand }]),
    ),
    peers: {
      alice: { calls: ['billing', 'ledger'], deliver: peerCommand },
      bob: { calls: ['billing'], deliver: peerCommand },
    },
  }
}
const allow = '--allow-commands'

describe('the commands of a mesh file', () => {
  it('are not run before they are allowed, and nothing is changed', async () => {
    const mesh = new MeshFolder(commanded())
    const run = await mesh.run(['apply'])
    expect(run).toMatchObject({ exitCode: 2, stdout: '' })
    expect(run.stderr).toContain('--allow-commands')
    expect(run.stderr).toContain('agent billing: echo')
    expect(existsSync(mesh.path('stores'))).toBe(false)
    expect(existsSync(mesh.path('order'))).toBe(false)
  })

  it('are shown line by line, so that what runs does not look like a comment', async () => {
    const mesh = new MeshFolder(commanded('cat > server.json # the server file\ncat server.json > elsewhere'))
    const { stderr } = await mesh.run(['apply'])
    const lines = stderr.split('\n').map((line) => line.trim())
    expect(lines.slice(lines.indexOf('agent billing:'), lines.indexOf('agent billing:') + 3)).toEqual([
      'agent billing:',
      'cat > server.json # the server file',
      'cat server.json > elsewhere',
    ])
  })

  it('get the agents their files before the peers, in the folder of the mesh file', async () => {
    const mesh = new MeshFolder(commanded())
    await mesh.done('apply', allow)
    const order = mesh.text('order').trim().split('\n')
    expect(order.slice(0, 2).sort()).toEqual(['<billing', '<ledger'])
    expect(order.slice(2).sort()).toEqual(['alice<billing,ledger', 'bob<billing'])
    for (const file of ['agents/billing.json', 'peers/alice.json'])
      expect(statSync(mesh.path(file)).mode & 0o777).toBe(0o600)
    expect(Object.keys((mesh.json('agents/billing.json') as ServerFile).peers).sort()).toEqual([
      'alice',
      'bob',
    ])
    expect(Object.keys((mesh.json('peers/alice.json') as ClientFile).agents)).toEqual(['billing', 'ledger'])
  })

  it('are remembered outside the folder, and asked for again when a text changes', async () => {
    const mesh = new MeshFolder(commanded())
    await mesh.done('apply', allow)
    const folder = join(mesh.home, '.local/state/a2a-totp')
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    const more = commanded()
    mesh.declare({
      ...more,
      peers: { ...more.peers, bob: { ...more.peers.bob, calls: ['billing', 'ledger'] } },
    })
    await mesh.done('apply')
    mesh.declare({
      ...commanded(),
      peers: { ...more.peers, bob: { calls: ['ledger'], deliver: 'cat > stolen' } },
    })
    const run = await mesh.run(['apply'])
    expect(run.exitCode).toBe(2)
    expect(run.stderr).toContain('peer bob: cat > stolen')
    expect(run.stderr).not.toContain('agent billing')
    expect(existsSync(mesh.path('stolen'))).toBe(false)
  })

  it('are asked for by a rotation that rotates nothing, too', async () => {
    const mesh = new MeshFolder(commanded())
    await mesh.done('apply', allow)
    mesh.declare(commanded('cat > stolen', 'cat > taken'))
    const run = await mesh.run(['rotate', '--older-than', '90d'])
    expect(run).toMatchObject({ exitCode: 2, stdout: '' })
    expect(run.stderr).toContain('agent billing: cat > stolen')
    expect(['stolen', 'taken'].filter((name) => existsSync(mesh.path(name)))).toEqual([])
  })

  it('are not allowed for a copy of the file elsewhere', async () => {
    const mesh = new MeshFolder(commanded())
    await mesh.done('apply', allow)
    const copy = new MeshFolder({})
    writeFileSync(copy.path('mesh.yaml'), readFileSync(mesh.path('mesh.yaml')))
    const run = await copy.run(['apply'], { env: { HOME: mesh.home } })
    expect(run.exitCode).toBe(2)
  })

  it('see none of our variables but their own', async () => {
    const mesh = new MeshFolder(commanded('env > "env.$A2A_TOTP_AGENT"'))
    const env = { A2A_TOTP_PASSPHRASE: 'hidden', A2A_TOTP_IDENTITY: 'hidden' }
    expect((await mesh.run(['apply', allow], { env })).exitCode).toBe(0)
    const own = mesh.text('env.billing').match(/^A2A_TOTP_\w+=.*$/gm)
    expect(own?.sort()).toEqual(['A2A_TOTP_AGENT=billing', 'A2A_TOTP_FORMAT=json'])
  })

  it('show no secret in what they print', async () => {
    const mesh = new MeshFolder(commanded('tee server >&2', 'tee client'))
    const run = await mesh.done('apply', allow)
    expect(run.stderr).toContain('billing: ')
    for (const { seeds, tokens } of Object.values(mesh.store('billing').peers))
      for (const secret of [...seeds.map(({ seed }) => seed), ...tokens.map(({ token }) => token)])
        expect(run.stderr + run.stdout).not.toContain(secret)
  })

  it('that fail stop no other, and are run again by the next apply', async () => {
    const failing = `test "$A2A_TOTP_AGENT" != billing || test -e up || exit 7; ${into('agents')}`
    const mesh = new MeshFolder(commanded(failing))
    const run = await mesh.run(['apply', allow, '--json'])
    expect(run.exitCode).toBe(1)
    expect(rowsOf(run)).toContainEqual(
      expect.objectContaining({
        agent: 'billing',
        action: 'deliver',
        done: false,
        problem: 'not delivered: it exited with 7',
      }),
    )
    expect(rowsOf(run)).toContainEqual(
      expect.objectContaining({ agent: 'ledger', peer: 'alice', action: 'deliver', done: true }),
    )
    expect(Object.keys((mesh.json('peers/alice.json') as ClientFile).agents)).toEqual(['ledger'])
    writeFileSync(mesh.path('up'), '')
    await mesh.done('apply')
    expect(Object.keys((mesh.json('peers/alice.json') as ClientFile).agents)).toEqual(['billing', 'ledger'])
    expect(await mesh.rows('apply')).toEqual([])
  })

  it('that take too long are ended', async () => {
    const mesh = new MeshFolder(commanded('sleep 30'))
    const run = await mesh.run(['apply', allow, '--timeout', '1', '--json'])
    expect(run.exitCode).toBe(1)
    expect(rowsOf(run).map(({ problem }) => problem)).toContain('not delivered: it took longer than 1 s')
  })

  it('reach the agent of a removed peer, whatever the delivery to its other peers does', async () => {
    const mesh = new MeshFolder(commanded())
    await mesh.done('apply', allow)
    const less = commanded(into('agents'), 'exit 1')
    mesh.declare({
      ...less,
      peers: { alice: { ...less.peers.alice, calls: ['ledger'] }, bob: less.peers.bob },
    })
    const run = await mesh.run(['apply', allow, '--prune', '--yes', '--json'])
    expect(run.exitCode).toBe(1)
    expect(Object.keys((mesh.json('agents/billing.json') as ServerFile).peers)).toEqual(['bob'])
    expect(rowsOf(run)).toContainEqual(
      expect.objectContaining({ agent: 'billing', peer: 'alice', action: 'remove', done: true }),
    )
  })

  it('that are interrupted leave what was delivered remembered, and the next apply goes on', async () => {
    const interruption = new AbortController()
    const slow = `test "$A2A_TOTP_PEER" != bob || test -e up || { touch waiting; sleep 30; }; ${into('peers')}`
    const mesh = new MeshFolder(commanded(into('agents'), slow))
    const run = mesh.run(['apply', allow], { signal: interruption.signal })
    while (!existsSync(mesh.path('waiting'))) await new Promise((done) => setTimeout(done, 20))
    interruption.abort()
    expect(await run).toMatchObject({ exitCode: 130, stdout: '' })
    writeFileSync(mesh.path('up'), '')
    const rows = await mesh.rows('apply')
    expect(rows.filter(({ peer, done }) => peer === undefined || !done)).toEqual([])
    expect(existsSync(mesh.path('peers/bob.json'))).toBe(true)
  })
})
