import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { renderClientFragment, renderServerFragment } from '../../src/fragments/index.js'
import { makeFolder } from '../support/cli.js'
import { describeWith, runPython } from '../support/python.js'
import { lookAt, peerOf, rosterOf } from '../support/roster.js'

/** What a reader has already, and what the pages on fragments say to print. */
const given = `
from typing import Any

import grpc
from a2a.client import ClientConfig, ClientFactory

app: Any
card: Any
handler: Any
seed: str
introspect: Any
`
const givenByCrewai = `
from typing import Any

app: Any
Agent: Any
A2AServerConfig: Any
`

const root = new URL('../../', import.meta.url)
/** Those that need crewAI are checked where it is installed. */
const isFor = (page: string, format: string, code: string): boolean =>
  page !== 'docs/python.md' || code.includes('a2a_totp.crewai') === (format === 'crewai')
const blocksOf = (page: string): string[] =>
  Array.from(
    readFileSync(new URL(page, root), 'utf8').matchAll(/^```python\n(.*?)^```$/gms),
    ([, code = '']) => code,
  )

describeWith('a2a-1', 'the Python on the pages', () => {
  it.each([
    ['docs/python.md', 11, 'python', given],
    ['docs/python.md', 1, 'crewai', givenByCrewai],
    ['docs/fragments/python.md', 2, 'python', given],
    ['python/README.md', 1, 'python', given],
    ['docs/fragments/crewai.md', 2, 'crewai', givenByCrewai],
  ] as const)('%s has the right types (%#)', async (page, count, format, prelude) => {
    const folder = makeFolder()
    const peer = peerOf('alice')
    const roster = rosterOf([peer])
    const server = await renderServerFragment(format, { roster, at: lookAt })
    const client = await renderClientFragment(format, { roster, peer, at: lookAt })
    writeFileSync(join(folder, 'guard.py'), server.content)
    writeFileSync(join(folder, 'billing_client.py'), client.content)
    const blocks = blocksOf(page).filter((code) => isFor(page, format, code))
    expect(blocks.length).toBeGreaterThanOrEqual(count)
    const files = blocks.map((code, at) => {
      const body = code.replace(/^(?=.)/gm, '    ')
      const file = join(folder, `block_${at}.py`)
      writeFileSync(file, `${prelude}\n\nasync def page() -> None:\n${body}`)
      return file
    })
    const venv = format === 'crewai' ? 'crewai' : 'a2a-1'
    // Reading crewAI's own types takes minutes.
    const flags = format === 'crewai' ? ['--follow-imports=skip'] : []
    const python = ['--python-executable', `.venvs/${venv}/bin/python`, '--cache-dir', `.venvs/${venv}/mypy`]
    const env = { MYPYPATH: `python/src:${folder}` }
    expect(runPython('a2a-1', ['-m', 'mypy', ...flags, ...python, ...files], { env })).toContain('Success')
  })
})
