import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { makeAgentFolder } from '../support/agent-folder.js'
import { parseJson, runBinary } from '../support/cli.js'
import { describeWith, firstLineOf, installed, pythonTests, startPython } from '../support/python.js'

const period = 10
/** With a window of 1: until then a code of the step before this one may have been used before the start. */
const unknownFor = 3 * period * 1000

interface Check {
  readonly id: string
  readonly status: string
  readonly actual: string
}

describeWith('a2a-1', 'an agent under policy once behind the Python package', () => {
  it('is probed without a failed check, and takes each code once', async () => {
    const cwd = await makeAgentFolder([
      ...['--replay', 'once'],
      ...['--period', String(period), '--digits', '8'],
    ])
    const env = { A2A_TOTP_SERVER_FILE: join(cwd, 'server.json') }
    const agent = startPython('a2a-1', [`${pythonTests}agent_1_x.py`], { ...installed('package', cwd), env })
    const { card } = JSON.parse(await firstLineOf(agent)) as { card: string }
    await sleep(unknownFor)
    // By default proofs are accepted under once. The card of this agent does not say so, and is not signed.
    const options = ['--protocol', '1.0', '--skip', 'signed.advertised', '--json']
    const run = await runBinary(['probe', card, 'alice', ...options], { cwd })
    const { checks } = parseJson(run) as { checks: Check[] }
    const others = checks.filter(({ status }) => status !== 'pass').map(({ id, status }) => [id, status])
    const cells = Array<string[]>(3).fill(['signed.required', 'skip'])
    expect(others).toEqual([['card.signature', 'skip'], ...cells])
    const replays = checks.filter(({ id }) => id === 'replay').map(({ actual }) => actual)
    expect(replays).toEqual(Array(3).fill('refused the second time'))
    expect(run.exitCode).toBe(0)
  })
})
