import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeStore, runBinary, runCli } from '../support/cli.js'

describe('the serial of a server file', () => {
  it('is refused where the next change could not count on', async () => {
    const cwd = await makeStore()
    await runBinary(['add-peer', 'alice'], { cwd })
    const { stdout } = await runBinary(['config', 'server'], { cwd })
    const file = { ...(JSON.parse(stdout) as object), serial: Number.MAX_SAFE_INTEGER }
    const other = await makeStore()
    writeFileSync(join(other, 'server.json'), JSON.stringify(file))
    const run = await runCli(['import', 'server.json'], { cwd: other })
    expect(run).toMatchObject({ exitCode: 3, stdout: '' })
    expect(run.stderr).toContain('serial must be a whole number up to')
    expect(await runCli(['add-peer', 'bob'], { cwd: other })).toMatchObject({ exitCode: 0 })
    expect(await runCli(['list'], { cwd: other })).toMatchObject({ exitCode: 0 })
  })

  it('that an undo or a change could not count on from is never written', async () => {
    const cwd = await makeStore()
    const path = join(cwd, 'a2a-totp.json')
    const text = readFileSync(path, 'utf8')
    writeFileSync(path, text.replace('"version": 1,', `"version": 1, "serial": ${Number.MAX_SAFE_INTEGER},`))
    expect(await runCli(['add-peer', 'bob'], { cwd })).toMatchObject({ exitCode: 3, stdout: '' })
    expect(await runCli(['list'], { cwd })).toMatchObject({ exitCode: 0 })
  })
})

describe('a server file with more live seeds for a peer than a rotation allows', () => {
  it('is refused, since the peer could not be rotated any more', async () => {
    const cwd = await makeStore(['alice', 'bob'])
    const { stdout } = await runBinary(['config', 'server'], { cwd })
    const file = JSON.parse(stdout) as { peers: { alice: { seeds: { id: string; seed: string }[] } } }
    const [seed] = file.peers.alice.seeds
    if (!seed) throw new Error('no seed')
    file.peers.alice.seeds.push({ ...seed, id: 's-two' }, { ...seed, id: 's-three' })
    const other = await makeStore()
    writeFileSync(join(other, 'server.json'), JSON.stringify(file))
    const run = await runCli(['import', 'server.json'], { cwd: other })
    expect(run).toMatchObject({ exitCode: 3, stdout: '' })
    expect(run.stderr).toContain('peers.alice: has more than 2 live seeds')
    const partly = await runCli(['import', 'server.json', '--partial', '--json'], { cwd: other })
    expect(JSON.parse(partly.stdout)).toMatchObject({ imported: 1, peers: ['bob'], skipped: 1 })
  })
})
