import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { request } from 'node:http'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { withRemoved } from '../../src/core/removed.js'
import { TokenHash } from '../../src/core/token.js'
import type { Roster } from '../../src/core/roster.js'
import { formatStore, parseStore } from '../../src/store/store-file.js'
import { makeAuthority } from '../support/authority.js'
import { makeFolder, parseJson, runCli, type CliRun } from '../support/cli.js'
import { listening } from '../support/listening.js'
import { agentWith, freshRoster, meshText, type Drawn } from '../support/mesh-agents.js'

/** A folder with a mesh file, the stores of its agents, and what runs `mesh prove` there. */
class MeshFolder {
  readonly cwd = makeFolder()

  constructor(rosters: readonly Roster[], urls: Readonly<Record<string, string>>, peers: Drawn['peers']) {
    mkdirSync(join(this.cwd, 'stores'))
    for (const roster of rosters) this.write(roster)
    writeFileSync(join(this.cwd, 'mesh.json'), meshText({ agents: urls, peers }))
  }

  write(roster: Roster): void {
    writeFileSync(this.#path(roster.agent), formatStore(roster), { mode: 0o600 })
  }

  read(agent: string): Roster {
    return parseStore(readFileSync(this.#path(agent), 'utf8')).roster
  }

  prove(...args: readonly string[]): Promise<CliRun> {
    return runCli(['mesh', 'prove', '--no-keep', ...args], { cwd: this.cwd })
  }

  #path(agent: string): string {
    return join(this.cwd, 'stores', `${agent}.json`)
  }
}

const peers = { alice: ['billing', 'search'], bob: ['billing'] }
const nowhere = { billing: 'http://127.0.0.1:1', search: 'http://127.0.0.1:2' }
const two = (): readonly [Roster, Roster] => [
  freshRoster('billing', ['alice', 'bob']),
  freshRoster('search', ['alice']),
]

async function running(rosters: readonly Roster[]): Promise<Record<string, string>> {
  const found = rosters.map(async (roster): Promise<[string, string]> => [
    roster.agent,
    await agentWith(roster, { bindings: ['jsonrpc'] }),
  ])
  return Object.fromEntries(await Promise.all(found))
}

describe('a2a-totp mesh prove', () => {
  it('exits with 0 where everything was shown, and prints one document', async () => {
    const rosters = two()
    const folder = new MeshFolder(rosters, await running(rosters), peers)
    const run = await folder.prove('--json')
    expect(run).toMatchObject({ exitCode: 0, stderr: '' })
    const report = parseJson(run)
    expect(report).toMatchObject({ version: 1, mesh: 'mesh.json', ok: true })
    expect(report['matrix']).toHaveLength(4)
  })

  it('sends nothing of a store that is for another host than the mesh file says', async () => {
    const [billing, search] = two()
    const urls = { ...nowhere, billing: 'https://elsewhere.example' }
    const folder = new MeshFolder([{ ...billing, url: 'https://billing.example' }, search], urls, peers)
    const run = await folder.prove('--json')
    expect(run).toMatchObject({ exitCode: 3, stdout: '' })
    expect(run.stderr).toContain('has credentials for https://billing.example')
  })

  it('proves an agent on this machine, wherever the store says that it is', async () => {
    const [billing, search] = two()
    const urls = await running([billing, search])
    const folder = new MeshFolder([{ ...billing, url: 'https://billing.example' }, search], urls, peers)
    expect(await folder.prove('--json')).toMatchObject({ exitCode: 0 })
  })

  it('forgets a removed peer that was refused, and keeps one that is still let in', async () => {
    const [billing, search] = two()
    const urls = await running([billing, search])
    const without = withRemoved(billing, ['bob'], new Date())
    const folder = new MeshFolder([without, search], urls, { alice: peers.alice, bob: [] })
    const before = await folder.prove('--json')
    expect(before.exitCode).toBe(1)
    expect(parseJson(before)['diagnosis']).toContain('removed peer still let in: bob at billing')
    expect(folder.read('billing').removed).toHaveLength(1)

    const delivered = await agentWith(without, { bindings: ['jsonrpc'] })
    const after = new MeshFolder(
      [without, search],
      { ...urls, billing: delivered },
      { alice: peers.alice, bob: [] },
    )
    const first = await after.prove('--json')
    expect(first.exitCode).toBe(0)
    expect(parseJson(first)['checks']).toContainEqual(
      expect.objectContaining({ id: 'mesh.removed', status: 'pass', actual: '1 peer refused' }),
    )
    expect(after.read('billing').removed).toBeUndefined()
    expect(parseJson(await after.prove('--json'))['checks']).toContainEqual(
      expect.objectContaining({ id: 'mesh.removed', status: 'skip' }),
    )
  })

  it('drops what is kept of removed peers with --forget, without sending it', async () => {
    const [billing, search] = two()
    const without = withRemoved(billing, ['bob'], new Date())
    const folder = new MeshFolder([without, search], await running([billing, search]), { alice: peers.alice })
    const run = await folder.prove('--forget')
    expect(run.exitCode).toBe(0)
    expect(run.stderr).toContain('forgot bob at billing, unsent')
    expect(folder.read('billing').removed).toBeUndefined()
  })

  it('lists what agents would learn by --cross, and sends nothing without --yes', async () => {
    const folder = new MeshFolder(two(), nowhere, peers)
    const run = await folder.prove('--cross')
    expect(run).toMatchObject({ exitCode: 2, stdout: '' })
    expect(run.stderr).toContain('--cross: search: token and code of bob at billing')
    expect(run.stderr).toContain('ERR_CONFIRMATION_NEEDED')
    expect((await folder.prove('--cross', '--yes')).exitCode).toBe(4)
  })

  it('exits with 4, and still reports, where no agent answers', async () => {
    const run = await new MeshFolder(two(), nowhere, peers).prove('--json')
    expect(run.exitCode).toBe(4)
    expect(parseJson(run)).toMatchObject({ ok: false, reachable: false, diagnosis: 'no agent answered' })
  })

  it('refuses what cannot be proved, and sends nothing', async () => {
    const [billing, search] = two()
    const alice = billing.peers.get('alice')
    if (!alice) throw new Error('no alice')
    const tokens = alice.tokens.map((one) => ({ ...one, token: TokenHash.parse(one.token.hash) }))
    const hashed = { ...billing, peers: new Map([...billing.peers, ['alice', { ...alice, tokens }]]) }
    const unknown = await new MeshFolder([hashed, search], nowhere, peers).prove()
    expect(unknown).toMatchObject({ exitCode: 3, stdout: '' })
    expect(unknown.stderr).toMatch(
      /only the hash is known of the token of "alice".*rotate alice --token.*ERR_TOKEN_UNKNOWN/,
    )
    const absent = await new MeshFolder([billing], nowhere, peers).prove()
    expect(absent).toMatchObject({ exitCode: 3, stdout: '' })
    expect(absent.stderr).toMatch(
      /the store of search, .*, is not there; run `a2a-totp mesh apply` first \(ERR_STORE_MISSING\)/,
    )
    const folder = new MeshFolder([billing, search], nowhere, peers)
    folder.write({ ...search, agent: 'search' })
    writeFileSync(join(folder.cwd, 'stores/search.json'), formatStore({ ...search, agent: 'shop' }), {
      mode: 0o600,
    })
    const foreign = await folder.prove()
    expect(foreign).toMatchObject({ exitCode: 3, stdout: '' })
    expect(foreign.stderr).toContain('rename --agent search')
  })

  it.each([
    ['a part that is not there', ['--only', 'serch'], 2, 'did you mean search?'],
    ['an edge that is not declared', ['--only', 'bob:search'], 2, '--only names an edge'],
    ['nothing as a part', ['--only', ','], 2, '--only names nothing'],
    ['a report in place of a store', ['--format', 'json=stores/billing.json'], 1, 'ERR_FILE_EXISTS'],
    ['a report in place of the mesh file', ['--format', 'json=mesh.json'], 1, 'is the mesh file'],
  ])('refuses %s', async (_, args, exitCode, words) => {
    const folder = new MeshFolder(two(), nowhere, peers)
    const run = await folder.prove(...args)
    expect(run).toMatchObject({ exitCode, stdout: '' })
    expect(run.stderr).toContain(words)
  })

  it('proves agents behind TLS with the authority that --ca names', async () => {
    const rosters = two()
    const urls = await running(rosters)
    const authority = makeAuthority()
    const front = createServer(authority.issue('IP:127.0.0.1'), (incoming, answer) => {
      // As a reverse proxy that terminates TLS: the card names the address that clients use.
      const { method, rawHeaders: headers, url = '/' } = incoming
      const sent = request(`${urls['billing'] ?? ''}${url}`, { method, headers }, (received) => {
        const chunks: Buffer[] = []
        received.on('data', (chunk: Buffer) => chunks.push(chunk))
        received.on('end', () => {
          const body = Buffer.concat(chunks)
            .toString()
            .replaceAll(urls['billing'] ?? '', here)
          const kept = { ...received.headers }
          delete kept['content-length']
          delete kept['transfer-encoding']
          answer.writeHead(received.statusCode ?? 502, kept).end(body)
        })
      })
      sent.on('error', () => answer.destroy())
      incoming.pipe(sent)
    })
    await using at = await listening(front)
    const here = `https://127.0.0.1:${at.port}`
    const folder = new MeshFolder(rosters, { ...urls, billing: here }, peers)
    const untrusted = await folder.prove('--json')
    expect(untrusted.exitCode).toBe(1)
    expect(parseJson(untrusted)['diagnosis']).toContain('billing: no trusted TLS connection')
    writeFileSync(join(folder.cwd, 'ca.pem'), authority.ca)
    const trusted = await folder.prove('--json', '--ca', 'ca.pem')
    expect(parseJson(trusted)['diagnosis']).toBeUndefined()
    expect(trusted.exitCode).toBe(0)
  })
})
