import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { startBareAgent } from '../support/bare-agent.js'
import { makeFolder, runCli } from '../support/cli.js'
import { followSteps, freePort, stepsOf } from '../support/console-session.js'

const page = readFileSync(fileURLToPath(new URL('../../docs/sidecars.md', import.meta.url)), 'utf8')

const sectionOf = (title: string): string =>
  page.split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? expect.fail(`no section "${title}"`)

it('docs/sidecars.md protects an agent in as few commands as it says', async () => {
  const { host } = new URL(await startBareAgent())
  const hasCurl = spawnSync('curl', ['--version']).status === 0
  const steps = stepsOf(sectionOf('Five minutes to a protected agent').replaceAll('127.0.0.1:9999', host))
  expect(steps.length).toBeGreaterThan(6)
  await followSteps(
    steps.filter(({ command }) => hasCurl || !command.includes('curl')),
    makeFolder(),
    await freePort(),
  )
}, 90_000)

it.each(['proxy', 'gate'])('docs/sidecars.md has every option of %s, and its default', async (command) => {
  const { stdout: help } = await runCli([command, '--help'], { cwd: makeFolder() })
  const options = Array.from(help.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm), ([, option = '']) => option)
  expect(options.length).toBeGreaterThan(10)
  const cells = Array.from(page.matchAll(/^\| (`--.*?) +\|/gm), ([, cell = '']) => cell).join(' ')
  const missing = options.filter((option) => option !== '--help' && !new RegExp(`${option}[\` ]`).test(cells))
  expect(missing).toEqual([])
})

it('docs/sidecars.md has no option that neither has', async () => {
  const helps = await Promise.all(
    ['proxy', 'gate'].map((command) => runCli([command, '--help'], { cwd: makeFolder() })),
  )
  const known = helps.map(({ stdout }) => stdout).join('\n')
  const named = Array.from(page.matchAll(/^\| (`--.*?) +\|/gm), ([, cell = '']) => cell).flatMap(
    (cell) => cell.match(/--[a-z-]+/g) ?? [],
  )
  expect(named.length).toBeGreaterThan(20)
  expect(named.filter((option) => !new RegExp(`${option}\\b`).test(known))).toEqual([])
})
