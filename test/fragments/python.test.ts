import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { renderClientFragment, renderServerFragment } from '../../src/fragments/index.js'
import { lookAt, peerOf, rosterOf } from '../support/roster.js'

const alice = peerOf('alice')
const roster = rosterOf([alice])
const fileOf = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../../src/fragments/python/${name}.py`, import.meta.url)), 'utf8')

it('emits the Python modules byte for byte', async () => {
  const server = await renderServerFragment('python', { roster, at: lookAt })
  expect(server.content).toBe(fileOf('a2a_totp_server'))
  for (const [format, name] of [
    ['python', 'a2a_totp_client'],
    ['crewai', 'a2a_totp_crewai_client'],
  ] as const) {
    const client = await renderClientFragment(format, { roster, peer: alice, at: lookAt })
    expect(client.content).toBe(fileOf(name))
  }
})

it('emits crewAI’s server side as one module, which imports none of ours', async () => {
  const { content } = await renderServerFragment('crewai', { roster, at: lookAt })
  expect(content.startsWith(fileOf('a2a_totp_server'))).toBe(true)
  expect(content).toContain('class TOTPServerAuthScheme(ServerAuthScheme):')
  expect(content).not.toMatch(/^(from|import) a2a_totp/m)
})
