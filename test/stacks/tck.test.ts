import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { makeFolder, startBinary } from '../support/cli.js'
import { listening } from '../support/listening.js'
import { firstLineOf } from '../support/python.js'
import { startSidecar } from '../support/sidecar-chain.js'
import { makeStackFolder } from '../support/stack-agents.js'
import { serveApp, type Stack } from '../support/stacks.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Starts `a2a-totp proxy` in front of an agent, with bob's credentials: its origin. */
const startProxy = (cwd: string, origin: string): Promise<string> =>
  startSidecar(cwd, 'proxy', [origin, 'bob', '--listen', '127.0.0.1:0'])

/** Starts `a2a-totp gate` in front of an agent that knows of no codes: its origin. */
async function startGate(cwd: string, origin: string): Promise<string> {
  const card = (await (await fetch(`${origin}/.well-known/agent-card.json`)).json()) as {
    supportedInterfaces?: { url: string; protocolBinding: string }[]
  }
  const rpc = card.supportedInterfaces?.find(({ protocolBinding }) => protocolBinding === 'GRPC')
  return startSidecar(cwd, 'gate', [
    ...['--upstream', origin, '--server-file', 'server.json', '--listen', '127.0.0.1:0'],
    ...(rpc ? ['--grpc-upstream', `http://${rpc.url}`] : []),
  ])
}

describe('the proxy that the kit goes through', () => {
  it('lets a caller without credentials in, whose card names the proxy', async () => {
    const cwd = await makeStackFolder('a2a-python', ['--strict'])
    const { card } = JSON.parse(await firstLineOf(startBinary(['--quiet', '--json', 'demo'], { cwd }))) as {
      card: string
    }
    const { origin } = new URL(card)
    const proxy = await startProxy(cwd, origin)
    const text = await (await fetch(`${proxy}/.well-known/agent-card.json`)).text()
    expect(text).toContain(`${proxy}/`)
    expect(text).not.toContain(`${origin}/`)
    const { supportedInterfaces } = JSON.parse(text) as {
      supportedInterfaces: { url: string; protocolBinding: string; protocolVersion: string }[]
    }
    const url = supportedInterfaces.find(
      ({ protocolBinding, protocolVersion }) => protocolBinding === 'JSONRPC' && protocolVersion === '1.0',
    )?.url
    const call = async (method: string): Promise<string> => {
      const message = { messageId: 'm1', role: 'ROLE_USER', parts: [{ text: 'hello' }] }
      const response = await fetch(url ?? '', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'A2A-Version': '1.0' },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { message } }),
      })
      expect(response.status).toBe(200)
      return response.text()
    }
    // Under --strict: the second is no repetition of the first.
    expect(await call('SendMessage')).toContain('bob said: hello')
    expect(await call('SendStreamingMessage')).toMatch(/^data: .*bob said: hello/m)
  })

  it("replaces the caller's own credentials, and passes on its other fields, the body and the answer", async () => {
    const cwd = await makeStackFolder('a2a-python')
    let seen: { url: string; headers: IncomingHttpHeaders; body: string } | undefined
    await using agent = await listening(
      createServer((request, response) => {
        void readBody(request).then((body) => {
          seen = { url: request.url ?? '', headers: request.headers, body }
          response.writeHead(418, { 'X-Answer': 'yes', Location: '/elsewhere' }).end('short and stout')
        })
      }),
    )
    const proxy = await startProxy(cwd, `http://127.0.0.1:${agent.port}`)
    const response = await fetch(`${proxy}/a%2Fb?c=d`, {
      method: 'PUT',
      headers: { Authorization: 'Bearer other', 'X-TOTP': '000000', 'A2A-Version': '1.0' },
      body: 'tea',
    })
    expect(seen).toMatchObject({ url: '/a%2Fb?c=d', body: 'tea', headers: { 'a2a-version': '1.0' } })
    expect(seen?.headers.authorization).toMatch(/^Bearer a2at_/)
    expect(seen?.headers['x-totp']).toMatch(/^(?!000000)\d{6}$/)
    expect(response.status).toBe(418)
    expect(response.headers.get('x-answer')).toBe('yes')
    expect(await response.text()).toBe('short and stout')
  })
})

/** Checkouts of the kit, by the variable that names one; a2a-tck is on no index. */
const branches: readonly {
  readonly variable: string
  readonly stack: Stack
  readonly app: string
  /** Of pytest, with the agent's origin. */
  readonly options: (origin: string) => string[]
}[] = [
  {
    variable: 'A2A_TCK_1_0',
    stack: 'a2a-python',
    app: 'sut_1_0:app',
    options: (origin) => [
      'tests/compatibility',
      `--sut-host=${origin}`,
      '--transport=jsonrpc,http_json,grpc',
    ],
  },
  {
    variable: 'A2A_TCK_0_3',
    stack: 'a2a-python-0.3',
    app: 'sut_0_3:app',
    options: (origin) => [
      'tests/mandatory',
      'tests/optional',
      '--sut-url',
      `${origin}/`,
      '--test-scope',
      'all',
    ],
  },
]

/** Runs the kit's cases: the outcome of each, by its name. */
function outcomes(checkout: string, options: readonly string[]): Promise<Map<string, string>> {
  const report = join(makeFolder(), 'report.xml')
  const python = process.env['A2A_TCK_PYTHON'] ?? join(checkout, '.venv/bin/python')
  const quiet = ['-q', '-p', 'no:cacheprovider', '--junitxml', report]
  const child: ChildProcess = spawn(python, ['-m', 'pytest', ...quiet, ...options], {
    cwd: checkout,
    env: { PATH: process.env['PATH'], PYTHONDONTWRITEBYTECODE: '1' },
    stdio: 'ignore',
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return new Promise((done, fail) => {
    child.on('error', fail).on('close', () => done(outcomesIn(readFileSync(report, 'utf8'))))
  })
}

function outcomesIn(report: string): Map<string, string> {
  const found = new Map<string, string>()
  for (const one of report.split('<testcase ').slice(1)) {
    const [, file = ''] = /classname="([^"]*)"/.exec(one) ?? []
    const [, name = ''] = /(?<!class)name="([^"]*)"/.exec(one) ?? []
    const [, kind = 'passed'] = /<(failure|error|skipped)[ >]/.exec(one) ?? []
    found.set(`${file} ${name}`, kind)
  }
  return found
}

/** Cases about fields of the card's answer that agents leave out, and the sidecars do not. */
const aboutCaching = (name: string): boolean => name.includes('test_agent_card_caching')

const withoutCaching = (seen: ReadonlyMap<string, string>): object =>
  Object.fromEntries([...seen].filter(([name]) => !aboutCaching(name)))

describe('a2a-tck', () => {
  for (const { variable, stack, app, options } of branches) {
    const checkout = process.env[variable] ?? ''
    it.skipIf(!existsSync(checkout))(
      `has the same outcomes behind the guard, behind the gate and without both: $${variable}`,
      async () => {
        const cwd = await makeStackFolder(stack)
        const path = join(root, 'test/stacks/tck')
        const env = { A2A_TCK: checkout }
        const bare = await serveApp(stack, app, { path, env })
        const server = { A2A_TOTP_SERVER_FILE: join(cwd, 'server.json') }
        const guarded = await serveApp(stack, app, { path, env: { ...env, ...server } })
        const gate = await startGate(cwd, bare.origin)
        const commit = spawnSync('git', ['-C', checkout, 'rev-parse', '--short', 'HEAD'], {
          encoding: 'utf8',
        })
        const show = (where: string, seen: ReadonlyMap<string, string>): void => {
          const count = (kind: string): number => [...seen.values()].filter((one) => one === kind).length
          const shown = ['passed', 'failure', 'error', 'skipped'].map((kind) => `${count(kind)} ${kind}`)
          console.log(`${variable} ${commit.stdout.trim()} ${where}: ${shown.join(', ')}`)
        }
        const expected = await outcomes(checkout, options(bare.origin))
        show('without', expected)
        expect([...expected.values()].filter((one) => one === 'passed').length).toBeGreaterThan(20)
        for (const origin of [guarded.origin, gate]) {
          const seen = await outcomes(checkout, options(await startProxy(cwd, origin)))
          show(origin === gate ? 'gate' : 'guard', seen)
          expect(withoutCaching(seen)).toEqual(withoutCaching(expected))
          for (const [name, outcome] of seen)
            if (aboutCaching(name)) expect([name, outcome]).toEqual([name, 'passed'])
        }
      },
      1_800_000,
    )
  }
})

async function readBody(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
