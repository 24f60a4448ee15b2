import { it } from 'vitest'
import { aliceVariables, makeAgentFolder } from '../support/agent-folder.js'
import { startBinary } from '../support/cli.js'
import { expectFreshCodes, type CrewaiReport } from '../support/crewai.js'
import {
  describeWith,
  firstLineOf,
  installed,
  lastLineOf,
  pythonTests,
  startPython,
} from '../support/python.js'

describeWith('crewai', 'a crewAI client with our scheme', () => {
  it('polls the demo for 95 seconds, past three periods of 30', async () => {
    const cwd = await makeAgentFolder()
    const card = await firstLineOf(startBinary(['--quiet', 'demo'], { cwd }))
    const args = [`${pythonTests}client_crewai.py`, card, '95']
    const client = startPython('crewai', args, { ...installed('package', cwd), env: aliceVariables(cwd) })
    expectFreshCodes(JSON.parse(await lastLineOf(client)) as CrewaiReport, { seconds: 95, period: 30 })
  })
})
