import { expect, it } from 'vitest'
import { makeFolder, parseJson, runCli } from '../support/cli.js'

it('undo works on a store with a passphrase', async () => {
  const env = { A2A_TOTP_PASSPHRASE: 'correct horse battery' }
  const cwd = makeFolder()
  await runCli(['init', '--passphrase'], { cwd, env })
  await runCli(['set', '--replay', 'once'], { cwd, env })
  expect((await runCli(['undo'], { cwd, env })).exitCode).toBe(0)
  expect(parseJson(await runCli(['list', '--json'], { cwd, env }))['replay']).toBe('reuse')
}, 120_000)
