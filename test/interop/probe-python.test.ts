import { join } from 'node:path'
import { expect, it } from 'vitest'
import { makeAgentFolder } from '../support/agent-folder.js'
import { parseJson, runBinary } from '../support/cli.js'
import {
  describeWith,
  firstLineOf,
  installed,
  pythonTests,
  startPython,
  type Venv,
} from '../support/python.js'

const agents = [
  ['a2a-0.3', 'agent_0_3.py', 3],
  ['a2a-1', 'agent_1_x.py', 6],
] as const satisfies [Venv, string, number][]

/** How the store was made, and how the probe is run. Policy once has a test of its own. */
const runs: [name: string, init: readonly string[], options: readonly string[]][] = [
  ['as it is', [], []],
  ['with eight digits and SHA256', ['--digits', '8', '--algorithm', 'SHA256'], []],
  ['with a message', [], ['--send', 'hello']],
  ['with its throttle tried', [], ['--throttle']],
]

for (const [venv, program, cells] of agents) {
  describeWith(venv, `an agent on ${venv} behind the Python package passes --strict`, () => {
    it.each(runs)('%s', async (_, init, options) => {
      const cwd = await makeAgentFolder(init)
      const env = { A2A_TOTP_SERVER_FILE: join(cwd, 'server.json') }
      const agent = startPython(venv, [pythonTests + program], { ...installed('package', cwd), env })
      const { card } = JSON.parse(await firstLineOf(agent)) as { card: string }
      const run = await runBinary(['probe', card, 'alice', '--strict', '--json', ...options], { cwd })
      const { checks, ok } = parseJson(run) as { ok: boolean; checks: { id: string; status: string }[] }
      const found = checks.filter(({ status }) => status === 'fail' || status === 'warn')
      expect(found.map((check) => JSON.stringify(check))).toEqual([])
      expect(checks.filter(({ id, status }) => id === 'auth.valid' && status === 'pass')).toHaveLength(cells)
      expect({ ok, exitCode: run.exitCode }).toEqual({ ok: true, exitCode: 0 })
    })
  })
}
