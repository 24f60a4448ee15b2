import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { renderClientFragment, renderServerFragment } from '../../src/fragments/index.js'
import { lookAt, peerOf, rosterOf } from '../support/roster.js'

const alice = peerOf('alice')
const roster = rosterOf([alice])
const fileOf = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../../src/fragments/python/${name}.py`, import.meta.url)), 'utf8')

/** Without the line of `vendored.ts`. */
const moduleIn = (content: string): string => content.replace(/^# a2a-totp .*\n/, '')

it('emits the Python modules byte for byte, behind a line that says which version made them', async () => {
  const server = await renderServerFragment('python', { roster, at: lookAt })
  expect(moduleIn(server.content)).toBe(fileOf('a2a_totp_server'))
  for (const [format, name] of [
    ['python', 'a2a_totp_client'],
    ['crewai', 'a2a_totp_crewai_client'],
  ] as const) {
    const client = await renderClientFragment(format, { roster, peer: alice, at: lookAt })
    expect(moduleIn(client.content)).toBe(fileOf(name))
  }
})

it('emits crewAI’s server side as one module, which imports none of ours', async () => {
  const { content } = await renderServerFragment('crewai', { roster, at: lookAt })
  const lines = new Set(content.split('\n'))
  expect(
    fileOf('a2a_totp_server')
      .split('\n')
      .filter((line) => !lines.has(line)),
  ).toEqual([])
  expect(content.match(/^# a2a-totp /gm)).toHaveLength(1)
  expect(content).toContain('class TOTPServerAuthScheme(ServerAuthScheme):')
  expect(content).not.toMatch(/^(from|import) a2a_totp/m)
})
