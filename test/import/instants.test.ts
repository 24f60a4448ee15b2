import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeFolder, makeStore, runCli } from '../support/cli.js'

/** Instants in years that RFC 3339 cannot write in UTC. */
const beyond = ['9999-12-31T23:59:59-01:00', '9999-12-31T23:59:59-23:00', '0000-01-01T00:00:00+00:01']
const written = '9999-12-31T23:59:59Z'

async function serverFileEnding(at: string): Promise<string> {
  const { stdout } = await runCli(['config', 'server'], { cwd: await makeStore(['alice']) })
  const file = JSON.parse(stdout) as { peers: { alice: { tokens: object[] } } }
  Object.assign(file.peers.alice.tokens[0] ?? {}, { expiresAt: at })
  return JSON.stringify(file)
}

const sources: Record<string, (at: string) => string | Promise<string>> = {
  'a peer': (at) => JSON.stringify([{ name: 'alice', expiresAt: at }]),
  'a canary': (at) =>
    JSON.stringify({
      peers: [],
      canaries: [{ name: 'trap', token: 'a2at_bait-for-thieves-of-32-letters', expiresAt: at }],
    }),
  'a server file': serverFileEnding,
}

describe.each(Object.entries(sources))('import of %s', (_, contentEnding) => {
  it.each(beyond)('with the end %s writes nothing: the store could not be read again', async (at) => {
    const cwd = makeFolder()
    await runCli(['init'], { cwd })
    const before = readFileSync(join(cwd, 'a2a-totp.json'), 'utf8')
    const run = await runCli(['import', '-'], { cwd, stdin: await contentEnding(at) })
    expect(run).toMatchObject({ exitCode: 3, stdout: '' })
    expect(run.stderr).toContain('(ERR_IMPORT_INVALID)')
    expect(readFileSync(join(cwd, 'a2a-totp.json'), 'utf8')).toBe(before)
  })

  it('takes the last second that can be written', async () => {
    const cwd = makeFolder()
    await runCli(['init'], { cwd })
    const run = await runCli(['import', '-'], { cwd, stdin: await contentEnding(written) })
    expect(run.exitCode, run.stderr).toBe(0)
    expect(await runCli(['list'], { cwd })).toMatchObject({ exitCode: 0 })
  })
})
