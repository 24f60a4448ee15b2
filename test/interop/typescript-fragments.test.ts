import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { binary, parseJson, runBinary } from '../support/cli.js'
import { readByDotenv } from '../support/env-readers.js'
import { temporaryFolder } from '../support/folder.js'
import { firstLineOf } from '../support/python.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const user = temporaryFolder()

/** A user's agent around the server fragment, and a call with the client fragment. */
const program = `
import { AgentCard, Message, SendMessageRequest } from '@a2a-js/sdk'
import { AgentEvent } from '@a2a-js/sdk/server'
import express from 'express'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mountProtected } from './agent.js'
import { createClient } from './client.js'

const app = express()
const server = createServer(app).listen(0, '127.0.0.1', async () => {
  const origin = \`http://127.0.0.1:\${(server.address() as AddressInfo).port}\`
  const card = AgentCard.fromJSON({
    name: 'pasted', description: 'says who called', version: '1', capabilities: { streaming: true },
    defaultInputModes: ['text/plain'], defaultOutputModes: ['text/plain'], skills: [],
    supportedInterfaces: [
      { url: \`\${origin}/a2a/jsonrpc\`, protocolBinding: 'JSONRPC', protocolVersion: '1.0' },
      { url: \`\${origin}/a2a/rest\`, protocolBinding: 'HTTP+JSON', protocolVersion: '1.0' },
    ],
  })
  mountProtected(app, card, {
    execute: ({ contextId, context }, bus) => {
      const parts = [{ text: \`\${context.user?.userName} called\` }]
      bus.publish(AgentEvent.message(Message.fromJSON({ messageId: 'r', contextId, role: 'ROLE_AGENT', parts })))
      bus.finished()
      return Promise.resolve()
    },
    cancelTask: () => Promise.resolve(),
  })
  const client = await createClient(origin)
  const message = { messageId: 'm', role: 'ROLE_USER', parts: [{ text: 'hello' }] }
  console.log(JSON.stringify({ origin, answer: await client.sendMessage(SendMessageRequest.fromJSON({ message })) }))
})
`

const run = (command: string, args: readonly string[], cwd: string): string =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 110_000 })

/** Its fragments are written by the CLI into the folder of a user who has installed the tarball. */
const store = temporaryFolder()

beforeAll(() => {
  mkdirSync(join(user, 'node_modules'), { recursive: true })
  run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', user], root)
  const tarball = readdirSync(user).find((name) => name.endsWith('.tgz')) ?? ''
  run('tar', ['-xzf', join(user, tarball), '-C', join(user, 'node_modules')], user)
  run('mv', ['package', 'a2a-totp'], join(user, 'node_modules'))
  // The rest as a user's install would have it, without installing it once more.
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (!name.startsWith('.')) symlinkSync(join(root, 'node_modules', name), join(user, 'node_modules', name))
  }
  writeFileSync(join(user, 'package.json'), '{"type":"module"}')
  writeFileSync(join(user, 'use.ts'), program)
  for (const args of [
    ['init', '--digits', '8', '--header', 'X-Code'],
    ['add-peer', 'alice', 'bob'],
    ['config', 'server', '--format', 'typescript', '--out', join(user, 'agent.ts')],
    ['config', 'server', '--format', 'json', '--out', join(user, 'server.json')],
    ['config', 'client', 'alice', '--format', 'typescript', '--out', join(user, 'client.ts')],
  ]) {
    run(process.execPath, [binary, ...args], store)
  }
})

describe('the TypeScript fragments', () => {
  it('compile, strictly, against the packed tarball', () => {
    const flags = [
      '--strict',
      '--skipLibCheck',
      '--module',
      'nodenext',
      '--target',
      'es2022',
      '--types',
      'node',
    ]
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    const compiler = spawnSync(process.execPath, [tsc, ...flags, 'agent.ts', 'client.ts', 'use.ts'], {
      cwd: user,
      encoding: 'utf8',
      timeout: 110_000,
    })
    expect(compiler).toMatchObject({ stdout: '', status: 0 })
  })

  it('are an agent that a probe finds nothing wrong with, and a client that it lets in', async () => {
    const env = await runBinary(['config', 'client', 'alice'], { cwd: store })
    const agent = spawn(process.execPath, ['use.js'], {
      cwd: user,
      env: { ...readByDotenv(env.stdout), A2A_TOTP_SERVER_FILE: 'server.json', PATH: process.env['PATH'] },
    })
    onTestFinished(() => void agent.kill('SIGKILL'))
    const { origin, answer } = JSON.parse(await firstLineOf(agent)) as { origin: string; answer: object }
    expect(JSON.stringify(answer)).toContain('alice called')
    const report = parseJson(await runBinary(['probe', origin, 'alice', '--json'], { cwd: store })) as {
      checks: { id: string; status: string; binding: string }[]
    }
    expect(report.checks.filter(({ status }) => status === 'fail' || status === 'warn')).toEqual([])
    const admitted = report.checks.filter(({ id, status }) => id === 'auth.valid' && status === 'pass')
    expect(admitted.map(({ binding }) => binding).sort()).toEqual(['jsonrpc', 'rest'])
  })
})
