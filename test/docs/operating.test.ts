import { once } from 'node:events'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { expect, it, onTestFinished } from 'vitest'
import { memoryState, TOTPServerAuthScheme } from '../../src/server/index.js'
import { totpGuard } from '../../src/server/node.js'
import { cardFor } from '../support/agent-card.js'
import { answerTask, parseCall } from '../support/agent-protocol.js'
import { sendJson } from '../support/broken-agent.js'
import { makeStore, runCli } from '../support/cli.js'
import { followSteps, stepsOf, type Step } from '../support/console-session.js'
import { freePort } from '../support/free-ports.js'

const page = readFileSync(fileURLToPath(new URL('../../docs/operating.md', import.meta.url)), 'utf8')
/** The steps of a section. */
function stepsIn(title: string): Step[] {
  const [, after = ''] = page.split(`\n## ${title}\n`)
  return stepsOf(after.split('\n## ')[0] ?? '')
}

const aheadMs = 95_000

/** An agent that follows billing.json and writes its events to agent.log, and one whose clock is ahead. */
async function startAgents(cwd: string): Promise<number[]> {
  const clocks = [0, aheadMs].map((ms) => () => new Date(Date.now() + ms))
  return Promise.all(
    clocks.map(async (now) => {
      const scheme = TOTPServerAuthScheme.fromFile(join(cwd, 'billing.json'), {
        now,
        state: memoryState({ since: new Date(0) }),
        onEvent: (event) => appendFileSync(join(cwd, 'agent.log'), `${JSON.stringify(event)}\n`),
      })
      const guarded = totpGuard(scheme, answer)
      const server = createServer((request, response) => {
        response.setHeader('date', now().toUTCString())
        if (request.url === '/.well-known/agent-card.json') sendCard(request, response)
        else guarded(request, response)
      }).listen(0, '127.0.0.1')
      await once(server, 'listening')
      onTestFinished(() => {
        scheme.close()
        server.close()
        server.closeAllConnections()
      })
      return (server.address() as AddressInfo).port
    }),
  )
}

function sendCard({ headers }: IncomingMessage, response: ServerResponse): void {
  const version = headers['a2a-version'] === '1.0' ? '1.0' : '0.3'
  sendJson(response, 200, cardFor(version, `http://${headers.host ?? ''}`, 'X-TOTP'))
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  answerTask(response, parseCall(request, await text(request)))
}

/** What the section starts with: a store, what its agent and peers hold, and the identities of two people. */
async function makeMesh(): Promise<string> {
  const cwd = await makeStore(['alice', 'bob', 'carol'], ['--agent', 'billing'])
  const files = ['config server --out billing.json']
  for (const peer of ['alice', 'bob', 'carol']) files.push(`config client ${peer} --out ${peer}.env`)
  for (const line of files) expect((await runCli(line.split(' '), { cwd })).exitCode).toBe(0)
  for (const person of ['me', 'dan']) {
    const identity = await generateX25519Identity()
    writeFileSync(join(cwd, `${person}.key`), identity, { mode: 0o600 })
    writeFileSync(join(cwd, `${person}.pub`), await identityToRecipient(identity))
  }
  return cwd
}

it('shows what is changed, undone and recorded', async () => {
  const steps = stepsIn('Change, undo, look back')
  expect(steps).toHaveLength(3)
  await followSteps(steps, await makeMesh(), await freePort())
})

it('shows what an operator does when something happens, at a real agent', async () => {
  const steps = stepsIn('When something happens')
  expect(steps.length).toBeGreaterThan(20)
  const cwd = await makeMesh()
  const [port = 0, ahead = 0] = await startAgents(cwd)
  await followSteps(steps, cwd, port, ahead)
}, 120_000)
