import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { makeFolder } from './support/cli.js'
import { followSteps, stepsOf } from './support/console-session.js'
import { freePort } from './support/free-ports.js'

const readme = readFileSync(fileURLToPath(new URL('../README.md', import.meta.url)), 'utf8')

it('shows commands that print what it says they print', async () => {
  // Those that install are tried by hand and in CI.
  const steps = stepsOf(readme).filter(({ command }) => !/^(npm|git|cd) /.test(command))
  expect(steps.length).toBeGreaterThan(5)
  await followSteps(steps, makeFolder(), await freePort())
}, 90_000)
