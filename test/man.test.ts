import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import packageJson from '../package.json' with { type: 'json' }
import { manPages } from '../scripts/man-pages.js'
import { topics } from '../src/cli/commands/help/help-topics.js'
import { runCli } from './support/cli.js'

const pages = await manPages({ version: '1.2.3', date: '2026-11-30' })
const files = pages.map(({ file }) => file)
const pageOf = (file: string): string => pages.find((page) => page.file === file)?.text ?? ''

/** As it is read: escapes undone, requests left out. */
const readable = (source: string): string =>
  source
    .replace(/^\.(TP|PP|nf|fi)$/gm, '')
    .replace(/^\.[A-Z]+ /gm, '')
    .replaceAll('\\&', '')
    .replace(/\\\[u([0-9A-F]{4,6})\]/g, (_, hex: string) => String.fromCodePoint(parseInt(hex, 16)))
    .replace(/\\\((ha|ti|ga|aq|dq)/g, (_, name: string) => letters[name] ?? '')
    .replaceAll('\\-', '-')
    .replaceAll('\\e', '\\')
const letters: Record<string, string> = { ha: '^', ti: '~', ga: '`', aq: "'", dq: '"' }

const commandList = /^Commands:\n(?: .*\n|\n)*/m

const words = (text: string): string => text.split(/\s+/).join(' ').trim()

describe('the pages of the manual', () => {
  it('are those that package.json names, so that npm finds them, and those that the build wrote', () => {
    expect(packageJson.man).toEqual(files.map((file) => `man/${file}`).sort())
    for (const { file, text } of pages) {
      const built = readFileSync(new URL(`../man/${file}`, import.meta.url), 'utf8')
      expect(built.split('\n').slice(1)).toEqual(text.split('\n').slice(1))
    }
  })

  it('are one for each command that help shows, and one for each topic', async () => {
    const commands = await commandsUnder([])
    expect(commands.length).toBeGreaterThan(30)
    const expected = [[], ...commands].map((command) => `${['a2a-totp', ...command].join('-')}.1`)
    expect(files.filter((file) => file.endsWith('.1')).sort()).toEqual(expected.sort())
    const ofTopics = Object.keys(topics).map((topic) => `a2a-totp-${topic}.7`)
    expect(files.filter((file) => file.endsWith('.7')).sort()).toEqual(ofTopics.sort())
  })

  it('say first what the program is for', () => {
    expect(pageOf('a2a-totp.1')).toMatch(/^\.SH DESCRIPTION\n.*second factor/m)
  })

  it('say what --help says of each argument and option, and its text and examples', async () => {
    for (const command of [[], ...(await commandsUnder([]))]) {
      const { stdout } = await runCli([...command, '--help'], { cwd: '/' })
      const page = words(readable(pageOf(`${['a2a-totp', ...command].join('-')}.1`)).toLowerCase())
      const missing = stdout
        // A page refers to the page of a command.
        .replace(commandList, (list) => list.replace(/^ {2}\S.*?(?: {2}|\n)/gm, ''))
        .split('\n')
        .filter((line) => !/^([A-Z][\w ]*:|Usage: .*)$/.test(line))
        .map((line) => words(line.toLowerCase()).replace(/\.$/, ''))
        .filter((line) => !page.includes(line) && line !== 'display help for command')
      expect({ command, missing }).toEqual({ command, missing: [] })
    }
  })

  it('contain nothing but ASCII, and no request that the text itself made', () => {
    for (const { file, text } of pages) {
      expect([file, /\P{ASCII}/u.exec(text)]).toEqual([file, null])
      const requests = text.match(/^[.'].*/gm)?.map((line) => line.split(' ')[0]) ?? []
      const known = ['.TH', '.SH', '.TP', '.PP', '.B', '.BR', '.nf', '.fi']
      expect([file, requests.filter((one) => !known.includes(one ?? ''))]).toEqual([file, []])
    }
  })

  it('name the version and its date', () => {
    expect(pageOf('a2a-totp-mesh-apply.1').split('\n')[0]).toBe(
      '.TH A2A-TOTP-MESH-APPLY 1 "2026-11-30" "a2a-totp 1.2.3" "a2a-totp manual"',
    )
  })
})

/** Every command under a command, by the words that call it. */
async function commandsUnder(command: string[]): Promise<string[][]> {
  const { stdout } = await runCli([...command, '--help'], { cwd: '/' })
  const [list = ''] = commandList.exec(stdout) ?? []
  const names = Array.from(list.matchAll(/^ {2}([a-z][a-z-]*)/gm), ([, name = '']) => name)
  const own = names
    .filter((name) => name !== 'help' || command.length === 0)
    .map((name) => [...command, name])
  return [...own, ...(await Promise.all(own.map(commandsUnder))).flat()]
}
