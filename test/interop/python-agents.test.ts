import { join } from 'node:path'
import { SendMessageRequest } from '@a2a-js/sdk'
import { ClientFactory } from '@a2a-js/sdk/client'
import { expect, it } from 'vitest'
import { totpTransports } from '../../src/client/a2a.js'
import { BearerTokenAuth, TOTPClientAuthScheme } from '../../src/client/index.js'
import { aliceVariables, makeAgentFolder } from '../support/agent-folder.js'
import { parseJson, runBinary, startBinary } from '../support/cli.js'
import { expectFreshCodes, type CrewaiReport } from '../support/crewai.js'
import {
  describeWith,
  firstLineOf,
  installed,
  lastLineOf,
  pythonTests,
  startPython,
  type Installed,
  type Venv,
} from '../support/python.js'

const both: readonly Installed[] = ['package', 'vendored']

/** The cells that authenticate, in the probe's words. */
const agents = [
  ['a2a-0.3', 'agent_0_3.py', ['grpc 0.3', 'jsonrpc 0.3', 'rest 0.3']],
  ['a2a-1', 'agent_1_x.py', ['grpc 0.3', 'grpc 1.0', 'jsonrpc 0.3', 'jsonrpc 1.0', 'rest 0.3', 'rest 1.0']],
] as const satisfies [Venv, string, string[]][]

for (const [venv, program, cells] of agents) {
  describeWith(venv, `an agent on ${venv} behind the Python package`, () => {
    async function startAgent(which: Installed): Promise<{ cwd: string; card: string }> {
      const cwd = await makeAgentFolder()
      const env = { A2A_TOTP_SERVER_FILE: join(cwd, 'server.json') }
      const agent = startPython(venv, [pythonTests + program], { ...installed(which, cwd), env })
      const { card } = JSON.parse(await firstLineOf(agent)) as { card: string }
      return { cwd, card }
    }

    it.each(both)('is probed without a failed check (%s)', async (which) => {
      const { cwd, card } = await startAgent(which)
      const run = await runBinary(['probe', card, 'alice', '--json'], { cwd })
      const report = parseJson(run) as {
        summary: Record<string, number>
        requests: number
        guessesSpent: number
        checks: { id: string; status: string; binding: string; protocolVersion: string }[]
      }
      expect(report.checks.filter(({ status }) => status === 'fail' || status === 'warn')).toEqual([])
      const valid = report.checks.filter(({ id, status }) => id === 'auth.valid' && status === 'pass')
      expect(valid.map(({ binding, protocolVersion }) => `${binding} ${protocolVersion}`).sort()).toEqual(
        cells,
      )
      expect(run.exitCode).toBe(0)
      const { summary, requests, guessesSpent } = report
      console.log(
        `probe of ${cells.length} cells: ${summary['passed']} passed, ${requests} requests, ${guessesSpent} guesses`,
      )
    })

    it.each(['JSONRPC', 'HTTP+JSON', 'GRPC'])(
      'is called by the TypeScript client over %s, and streams to it',
      async (binding) => {
        const { cwd, card } = await startAgent('package')
        const { A2A_TOTP_TOKEN: token = '', A2A_TOTP_SEED: seed = '' } = aliceVariables(cwd)
        const scheme = new TOTPClientAuthScheme({ delegate: new BearerTokenAuth(token), seed })
        const factory = new ClientFactory({ ...totpTransports(scheme), preferredTransports: [binding] })
        const client = await factory.createFromUrl(new URL(card).origin)
        expect(client.transport.protocolName).toBe(binding)
        const answer = await client.sendMessage(
          SendMessageRequest.fromJSON({
            message: { messageId: 'm1', role: 'ROLE_USER', parts: [{ text: 'hello' }] },
          }),
        )
        expect(JSON.stringify(answer)).toContain('alice said: hello')
        const events: unknown[] = []
        for await (const event of client.sendMessageStream(
          SendMessageRequest.fromJSON({
            message: { messageId: 'm2', role: 'ROLE_USER', parts: [{ text: 'stream' }] },
          }),
        )) {
          events.push(event)
        }
        expect(JSON.stringify(events)).toContain('alice said: stream')
      },
    )
  })
}

const clients = [
  ['a2a-0.3', 'client_0_3.py', ['HTTP+JSON httpx.Auth', 'JSONRPC httpx.Auth', 'JSONRPC interceptor']],
  [
    'a2a-1',
    'client_1_x.py',
    [
      'GRPC interceptor',
      'HTTP+JSON httpx.Auth',
      'HTTP+JSON interceptor',
      'JSONRPC httpx.Auth',
      'JSONRPC interceptor',
    ],
  ],
] as const satisfies [Venv, string, string[]][]

for (const [venv, program, seams] of clients) {
  describeWith(venv, `a client on ${venv} with the Python package`, () => {
    it.each(both)(
      'calls the demo over every binding, through interceptor and httpx.Auth (%s)',
      async (which) => {
        const cwd = await makeAgentFolder()
        const card = await firstLineOf(startBinary(['--quiet', 'demo'], { cwd }))
        const client = startPython(venv, [pythonTests + program, card], {
          ...installed(which, cwd),
          env: aliceVariables(cwd),
        })
        const answers = JSON.parse(await lastLineOf(client)) as Record<string, string>
        expect(Object.keys(answers).sort()).toEqual(seams)
        for (const [seam, answer] of Object.entries(answers)) {
          expect(answer, seam).toBe(`alice said: hello over ${seam.split(' ')[0] ?? ''}`)
        }
      },
    )
  })
}

for (const venv of ['a2a-0.3', 'a2a-1'] satisfies Venv[]) {
  describeWith(venv, `the client of the page on Python with ${venv}`, () => {
    it('signs what it sends', async () => {
      const cwd = await makeAgentFolder()
      const { origin } = new URL(await firstLineOf(startBinary(['--quiet', 'demo'], { cwd })))
      const args = [`${pythonTests}page_client.py`, origin]
      const client = startPython(venv, args, { ...installed('package', cwd), env: aliceVariables(cwd) })
      expect(JSON.parse(await lastLineOf(client))).toMatchObject({
        card: 'agent',
        client: true,
        answer: { error: { code: -32001 } },
      })
    })
  })
}

describeWith('crewai', 'a crewAI client with our scheme', () => {
  it.each(both)('delegates, streams, and polls the demo past three periods (%s)', async (which) => {
    const cwd = await makeAgentFolder(['--period', '10'])
    const card = await firstLineOf(startBinary(['--quiet', 'demo'], { cwd }))
    const client = startPython('crewai', [`${pythonTests}client_crewai.py`, card, '35'], {
      ...installed(which, cwd),
      env: aliceVariables(cwd),
    })
    const printed = JSON.parse(await lastLineOf(client)) as CrewaiReport
    expect(printed).toMatchObject({
      polling: 'TaskState.completed: alice said: hello from crewAI',
      streaming: 'TaskState.completed: alice said: hello from crewAI',
    })
    expectFreshCodes(printed, { seconds: 35, period: 10 })
  })
})

describeWith('crewai', 'our scheme for agents that host crewAI', () => {
  const program = `
import asyncio, json, os
from crewai.a2a.config import A2AServerConfig
from a2a_totp_crewai_server import TOTPMiddleware, TOTPServerAuthScheme

scheme = TOTPServerAuthScheme()
A2AServerConfig(auth=scheme)
TOTPMiddleware(lambda *_: None, scheme.authenticator)

async def ask(call):
    try:
        return (await call).claims["sub"]
    except Exception as error:
        return getattr(error, "status_code", repr(error))

token, code = os.environ["TOKEN"], os.environ["CODE"]
asks = [scheme.authenticate(token), scheme.authenticate_with_totp(token, "000000"), scheme.authenticate_with_totp(token, code)]
print(json.dumps([asyncio.run(ask(each)) for each in asks]))`

  it.each(both)('lets nobody in but with both factors (%s)', async (which) => {
    // So long that the code outlives the import of crewAI on a busy machine.
    const cwd = await makeAgentFolder(['--period', '120'])
    const { stdout } = await runBinary(['code', 'alice'], { cwd })
    const env = {
      A2A_TOTP_SERVER_FILE: join(cwd, 'server.json'),
      TOKEN: aliceVariables(cwd)['A2A_TOTP_TOKEN'] ?? '',
      CODE: stdout.trim(),
    }
    const printed = await lastLineOf(
      startPython('crewai', ['-c', program], { ...installed(which, cwd), env }),
    )
    expect(JSON.parse(printed)).toEqual([401, 401, 'alice'])
  })
})
