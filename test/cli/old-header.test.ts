import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeStore, parseJson, runCli } from '../support/cli.js'

/** A store as version 0.1 wrote it, with a field for the code that is refused since. */
async function storeWith(header: string): Promise<string> {
  const cwd = await makeStore(['alice'])
  const store = join(cwd, 'a2a-totp.json')
  writeFileSync(store, readFileSync(store, 'utf8').replace('"X-TOTP"', JSON.stringify(header)))
  return cwd
}

describe.each(['Totp-Code', 'Signature-Code', 'Content-Code', 'Priority'])(
  'a store with the header %s',
  (header) => {
    it('is read, and gives no agent and no card what they would refuse', async () => {
      const cwd = await storeWith(header)
      expect(parseJson(await runCli(['list', '--json'], { cwd }))).toMatchObject({ profile: { header } })
      const server = await runCli(['config', 'server', '--out', 'server.json'], { cwd })
      expect(server).toMatchObject({ exitCode: 3, stdout: '' })
      expect(server.stderr).toContain('profile.header must be an RFC 9110 token')
      expect(existsSync(join(cwd, 'server.json'))).toBe(false)
      expect((await runCli(['config', 'card'], { cwd })).exitCode).not.toBe(0)
    })

    it('gets another one by set --header', async () => {
      const cwd = await storeWith(header)
      expect((await runCli(['set', '--header', header, '--yes'], { cwd })).exitCode).toBe(2)
      expect(await runCli(['set', '--header', 'X-TOTP', '--yes'], { cwd })).toMatchObject({ exitCode: 0 })
      const { exitCode, stdout } = await runCli(['config', 'server'], { cwd })
      expect(exitCode).toBe(0)
      expect(stdout).toContain('"header": "X-TOTP"')
    })
  },
)
