import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { main } from '../../src/cli/main.js'
import { keepReport } from '../../src/mesh/status/index.js'
import { makeFolder, parseJson, runCli } from '../support/cli.js'
import { expectOurTags } from '../support/hostile-pieces.js'
import { expectHarmlessText, hostile } from '../support/hostile-text.js'
import { agentOf, edgeOf, meshReportOf, mixedMesh } from '../support/mesh-report.js'

const now = new Date('2030-01-02T12:00:00Z')

/** A mesh of one agent with a store, and another whose store is not there. */
async function makeMesh(): Promise<string> {
  const cwd = makeFolder()
  const store = ['--store', join(cwd, 'billing.json')]
  for (const args of [
    ['init', '--agent', 'billing'],
    ['add-peer', 'alice', '--expires', '2030-01-05T00:00:00Z'],
  ]) {
    const { exitCode, stderr } = await runCli([...store, ...args], {
      cwd,
      now: new Date('2029-11-01T00:00:00Z'),
    })
    if (exitCode !== 0) throw new Error(stderr)
  }
  writeFileSync(
    join(cwd, 'mesh.yaml'),
    `version: 1
agents:
  billing: {url: "https://billing.example", store: billing.json}
  search: {url: "https://search.example"}
peers:
  alice: {calls: [billing, search], rotateAfter: 60d}
`,
  )
  return cwd
}

describe('mesh status', () => {
  it('is one page with the latest matrix, the runs, what changed and what is due', async () => {
    const cwd = await makeMesh()
    const reports = join(cwd, 'reports')
    keepReport(reports, mixedMesh({ startedAt: '2030-01-01T00:00:00.000Z' }))
    const matrix = [edgeOf('alice', 'billing', { admitted: false, status: 'fail', detail: 'refused' })]
    keepReport(reports, mixedMesh({ startedAt: '2030-01-02T00:00:00.000Z', narrowed: [], matrix }))
    writeFileSync(join(reports, 'other.txt'), '')
    const { exitCode, stdout, stderr } = await runCli(['mesh', 'status'], { cwd, now })
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 })
    expectOurTags(stdout)
    expect(stdout).toMatch(/<svg\s+class="matrix"/)
    expect(stdout).toMatch(/<svg\s+class="history"[^>]*aria-label="2 runs, of which 0 passed/)
    expect(stdout).toContain('Proved 2030-01-02 00:00 UTC, 12 hours ago.')
    expect(stdout).toContain('alice -&gt; billing: declared, but refused; was let in, as declared')
    expect(stdout).toContain('the token of alice -&gt; billing expires in 2 days')
    expect(stdout).toContain('the seed of alice -&gt; billing was due for rotation 2 days ago')
    expect(stdout).toContain('a2a-totp mesh rotate --only alice:billing')
    expect(stdout).toMatch(/search: the store of search, .*, is not there; run `a2a-totp mesh apply` first/)
    expect(stderr).toContain('passed over ')
    expect(stderr).toContain('other.txt: not a report')
  })

  it('has the verdict of the last result of each agent, also of those that the latest run left out', async () => {
    const cwd = await makeMesh()
    const reports = join(cwd, 'reports')
    const gone = agentOf('search', { ok: false, reachable: false, report: null, detail: 'nothing answered' })
    const whole = meshReportOf({ agents: [agentOf('billing'), gone], matrix: [edgeOf('alice', 'billing')] })
    keepReport(reports, { ...whole, mesh: 'mesh.yaml', startedAt: '2030-01-01T00:00:00.000Z' })
    const part = meshReportOf({ agents: [agentOf('billing')], matrix: [edgeOf('alice', 'billing')] })
    const narrowed = ['--only billing']
    keepReport(reports, { ...part, narrowed, mesh: 'mesh.yaml', startedAt: '2030-01-02T00:00:00.000Z' })
    const { stdout } = await runCli(['mesh', 'status', '--format', 'html'], { cwd, now })
    expect(stdout).toContain('<title>FAIL: mesh.yaml, status</title>')
    expect(stdout).toContain('<span class="verdict">FAIL</span> mesh.yaml')
    expect(stdout).toContain('search: as seen 2030-01-01 00:00 UTC, 36 hours ago')
    const text = await runCli(['mesh', 'status', '--format', 'table'], { cwd, now })
    expect(text.stdout).toContain('with what the latest run left out: FAIL\n  search: as seen')
    const status = parseJson(await runCli(['mesh', 'status', '--json'], { cwd, now }))
    expect(status).toMatchObject({
      latest: { ok: true },
      current: { ok: false },
      earlier: [{ agents: ['search'] }],
    })
  })

  it('names the agent whose store cannot be read once', async () => {
    const cwd = await makeMesh()
    writeFileSync(join(cwd, 'billing.json'), '{')
    const { stdout } = await runCli(['mesh', 'status'], { cwd, now })
    expect(stdout).toContain('<li>billing: the store is not JSON')
  })

  it('says what to run before the first report, and writes to a file that is readable by its owner', async () => {
    const cwd = await makeMesh()
    const out = join(cwd, 'status.html')
    const run = await runCli(['mesh', 'status', '--out', out], { cwd, now })
    expect(run).toMatchObject({ exitCode: 0, stdout: '' })
    expect(readFileSync(out, 'utf8')).toContain('a2a-totp mesh prove')
    const again = await runCli(['mesh', 'status', '--out', out], { cwd, now })
    expect(again).toMatchObject({ exitCode: 1 })
    expect(existsSync(join(cwd, 'reports'))).toBe(false)
  })

  it.each([[['--format', 'json']], [['--json']]])('has the same facts as JSON: %j', async (args) => {
    const cwd = await makeMesh()
    const elsewhere = makeFolder()
    keepReport(elsewhere, mixedMesh())
    const status = parseJson(
      await runCli(['mesh', 'status', '--reports', elsewhere, '--within', '1d', ...args], { cwd, now }),
    )
    expect(status).toMatchObject({
      mesh: 'mesh.yaml',
      runs: [{ ok: false, edges: 6, agents: 3 }],
      latest: { version: 1 },
      turns: [],
      due: [
        { peer: 'alice', agent: 'billing', what: 'seed', why: 'rotate' },
        { peer: 'alice', agent: 'billing', what: 'token', why: 'rotate' },
      ],
      unread: [{ agent: 'search' }],
    })
  })

  it('is text on a terminal, where nobody reads a page, and JSON in a file that is called so', async () => {
    const cwd = await makeMesh()
    const program: typeof main = (args, system) =>
      main(args, { ...system, stdout: Object.assign(system.stdout, { isTTY: true, columns: 80 }) })
    const { stdout, stderr } = await runCli(['mesh', 'status'], { cwd, now, program })
    expect(stdout).toMatch(/^mesh\.yaml: no report yet/)
    expect(stderr).toContain('--out status.html')
    await runCli(['mesh', 'status', '--out', 'status.json'], { cwd, now, program })
    expect(JSON.parse(readFileSync(join(cwd, 'status.json'), 'utf8'))).toMatchObject({ runs: [] })
  })

  it('names the line of the file that ends an edge, since a rotation would end with it', async () => {
    const cwd = await makeMesh()
    const path = join(cwd, 'mesh.yaml')
    const text = readFileSync(path, 'utf8').replace('60d}', '60d, expires: "2030-01-05T00:00:00Z"}')
    writeFileSync(path, text)
    const { stdout } = await runCli(['mesh', 'status', '--format', 'table'], { cwd, now })
    expect(stdout).toContain('expires in 2 days: expires: in line 6 of the file\n')
  })

  it('is text with --format table', async () => {
    const cwd = await makeMesh()
    keepReport(join(cwd, 'reports'), mixedMesh({ startedAt: '2030-01-01T00:00:00.000Z' }))
    const { stdout } = await runCli(['mesh', 'status', '--format', 'table'], { cwd, now })
    expect(stdout).toMatch(/^mesh\.yaml: Proved 2030-01-01 00:00 UTC, 36 hours ago\.\n/)
    expect(stdout).toContain('2030-01-01 00:00 UTC  FAIL       6 edges at 3 agents: ')
    expect(stdout).toContain('the token of alice -> billing expires in 2 days')
  })

  it.each(['html', 'json', 'table'])(
    'as %s has no text from a kept report that is more than text',
    async (format) => {
      const cwd = await makeMesh()
      const shouted = mixedMesh({ diagnosis: hostile, narrowed: [hostile] })
      const matrix = [edgeOf(hostile, `${hostile}2`, { status: 'fail', admitted: false, detail: hostile })]
      keepReport(join(cwd, 'reports'), { ...shouted, startedAt: '2030-01-01T00:00:00.000Z', matrix: [] })
      keepReport(join(cwd, 'reports'), { ...shouted, matrix })
      const { stdout } = await runCli(['mesh', 'status', '--format', format], { cwd, now })
      const text = stdout.replace(/<style>.*?<\/style>/s, '')
      expectHarmlessText(text)
      if (format === 'html') expectOurTags(stdout)
    },
  )

  it('fails with the path of a folder that cannot be read', async () => {
    const cwd = await makeMesh()
    writeFileSync(join(cwd, 'reports'), '')
    chmodSync(join(cwd, 'reports'), 0o600)
    const { exitCode, stdout, stderr } = await runCli(['mesh', 'status'], { cwd, now })
    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' })
    expect(stderr).toContain('ERR_FILE_UNREADABLE')
  })
})
