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
