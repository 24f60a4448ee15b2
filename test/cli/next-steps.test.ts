import { expect, it } from 'vitest'
import { makeStore, runCli } from '../support/cli.js'

it.each([
  ['add-peer carol'],
  ['add-peer carol dora'],
  ['add-peer trap --canary'],
  ['rotate alice'],
  ['rotate --all'],
  ['rotate alice', 'rotate alice --finish'],
  ['rotate alice --deliver true'],
  ['rotate alice --deliver false', 'rotate --abandon'],
  ['rotate alice --server-out server.json'],
  ['remove-peer bob --yes'],
  ['set alice --replay once'],
  ['rename alice alicia'],
  ['rename --agent shop --yes'],
  ['add-peer carol', 'undo --yes'],
])('what %s says to type next writes a file, and prints no secrets', async (...lines) => {
  const cwd = await makeStore(['alice', 'bob'], ['--agent', 'billing'])
  let said = ''
  for (const line of lines) said = (await runCli(line.split(' '), { cwd, env: { HOME: cwd } })).stderr
  const commands = said.match(/a2a-totp config (server|client)[^,;)\n]*/g) ?? []
  expect(commands.length).toBeGreaterThan(0)
  expect(commands.filter((command) => !command.includes(' --out FILE'))).toEqual([])
})
