import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { startBareAgent } from '../support/bare-agent.js'
import { makeFolder, runCli } from '../support/cli.js'
import { followSteps, stepsOf } from '../support/console-session.js'
import { freePort } from '../support/free-ports.js'

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

/** Cells of the page's tables whose default is not one value that `--help` prints. */
const inWords: Readonly<Record<string, string>> = {
  '--public-url': 'the address asked for',
  '--redis': 'memory',
  '--trust-proxy': 'nobody',
  '--assert-key': 'none',
  '--max-header': '16384 (--authz: 65536)',
  '--listen of proxy': '127.0.0.1, a free port',
  '--listen of gate': '127.0.0.1:8080',
  '--server-file': '$A2A_TOTP_SERVER_FILE, else the store',
  '--card-path': '/.well-known/agent-card.json',
  '--assert-audience': "the upstream's origin",
}

it.each(['proxy', 'gate'])('docs/sidecars.md has the defaults that %s has', async (command) => {
  const { stdout } = await runCli([command, '--help'], { cwd: makeFolder() })
  const help = stdout.split(/\n(?= {2}-)/).map((entry) => entry.replace(/\s+/g, ' ').trim())
  const defaults = new Map(
    help.flatMap((entry) => {
      const [, option = ''] = /^(?:-\w, )?(--[a-z-]+)/.exec(entry) ?? []
      const [, value] = /\(default: "?([^)"]*)"?\)/.exec(entry) ?? []
      return option && value ? [[option, value] as const] : []
    }),
  )
  expect(defaults.size).toBeGreaterThan(5)
  const own = command === 'proxy' ? 'The proxy' : 'The gate'
  const rows = [sectionOf(own).split('\n### ')[0] ?? '', sectionOf('Running them')]
    .flatMap((section) => section.split('\n'))
    .flatMap((row) => {
      const [, options = '', given = ''] = row.split(/(?<!\\)\|/).map((cell) => cell.trim())
      const names = options.match(/--[a-z-]+/g) ?? []
      const values = given.replaceAll('`', '').split(names.length > 1 ? /[,;] / : /$^/)
      return names.map((name, at) => [name, (values[at] ?? '').trim()] as const)
    })
  const shown = (name: string): string => {
    const value = defaults.get(name) ?? ''
    // What is said of the default, after it.
    return value.replace(/, those that can be$/, '')
  }
  const wrong = rows
    .filter(([name]) => help.some((entry) => entry.includes(`${name} `) || entry.startsWith(name)))
    .filter(([name, value]) => value !== (inWords[`${name} of ${command}`] ?? inWords[name] ?? shown(name)))
    .map(([name, value]) => `${name}: the page has ${value || 'none'}, the command ${shown(name) || 'none'}`)
  expect(wrong).toEqual([])
})
