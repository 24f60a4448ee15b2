import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { startBareAgent } from '../support/bare-agent.js'
import { makeStore, runCli, startBinary } from '../support/cli.js'

const folder = fileURLToPath(new URL('../../docs/deploy/', import.meta.url))
const textOf = (name: string): string => readFileSync(join(folder, name), 'utf8')

/** The command of a unit, as systemd makes it of ExecStart and of the variables. */
function commandOfUnit(name: string): string[] {
  const unit = textOf(name)
  const variables = Object.fromEntries(
    Array.from(unit.matchAll(/^Environment=(\w+)=(.*)$/gm), ([, key = '', value = '']) => [key, value]),
  ) as Record<string, string>
  const [, line = ''] = /^ExecStart=a2a-totp (.*)$/m.exec(unit) ?? []
  return line
    .replace(
      /\$\{(\w+)\}|\$(\w+)/g,
      (_, braced?: string, bare?: string) => variables[braced ?? bare ?? ''] ?? '',
    )
    .split(' ')
    .filter((word) => word !== '')
}

interface Container {
  readonly name: string
  readonly args?: string[]
  readonly ports?: { name: string; containerPort: number }[]
}

interface Pod {
  readonly initContainers: Container[]
  readonly containers: Container[]
}

function podOf(name: string): Pod {
  const [first] = parseAllDocuments(textOf(name))
  return (first?.toJS() as { spec: { template: { spec: Pod } } }).spec.template.spec
}

const commandOfPod = (name: string): string[] => podOf(name).initContainers[0]?.args ?? []

interface Service {
  readonly command?: string[]
  readonly ports?: string[]
  readonly network_mode?: string
}

const servicesOf = (name: string): Record<string, Service> =>
  (parse(textOf(name)) as { services: Record<string, Service> }).services

const commandOfService = (name: string, service: string): string[] => servicesOf(name)[service]?.command ?? []

interface Listener {
  readonly role: string
  readonly url: string
}

interface Running {
  readonly cwd: string
  readonly urlOf: (role: string) => string
}

/** Runs a command of docs/deploy with files of a store, and on ports that are free. */
async function run(command: readonly string[]): Promise<Running> {
  const cwd = await makeStore(['alice'], ['--agent', 'billing'])
  const files = ['config server --out server.json', 'config client alice --format json --out client.json']
  for (const line of files) expect((await runCli(line.split(' '), { cwd })).exitCode).toBe(0)
  const agent = await startBareAgent()
  const here = command.map((word) =>
    word
      .replace(/\/(?:etc|run)\/a2a-totp\/(?:a2a-totp-)?(server|client)\.json$/, join(cwd, '$1.json'))
      .replace('http://127.0.0.1:9999', agent)
      .replace(/(?:127\.0\.0\.1|0\.0\.0\.0):\d+$/, (address) =>
        agent.endsWith(address) ? address : '127.0.0.1:0',
      ),
  )
  expect(here.filter((word) => /\/(etc|run)\//.test(word))).toEqual([])
  const url = here[0] === 'proxy' ? [agent, '--allow-host', new URL(agent).host] : []
  const child = startBinary(['--json', ...here, ...url], { cwd })
  let said = ''
  child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const ended = once(child, 'exit').then(() => expect.fail(said))
  const ready = once(createInterface({ input: child.stdout ?? expect.fail() }), 'line')
  const [line] = (await Promise.race([ready, ended])) as [string]
  ended.catch(() => undefined)
  const { listeners } = JSON.parse(line) as { listeners: Listener[] }
  return {
    cwd,
    urlOf: (role) => listeners.find((one) => one.role === role)?.url ?? expect.fail(`no ${role} in ${line}`),
  }
}

const message = { messageId: 'm1', role: 'ROLE_USER', parts: [{ text: 'hello' }] }

async function send(url: string, headers: object = {}): Promise<{ status: number; text: string }> {
  const answer = await fetch(new URL('rest/message:send', url), {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json', 'a2a-version': '1.0' },
    body: JSON.stringify({ message }),
  })
  return { status: answer.status, text: await answer.text() }
}

const healthOf = async (admin: string): Promise<number> => (await fetch(new URL('/healthz', admin))).status

describe('docs/deploy', () => {
  it.each([
    ['a2a-totp-gate.service', commandOfUnit('a2a-totp-gate.service')],
    ['kubernetes-gate.yaml', commandOfPod('kubernetes-gate.yaml')],
    ['compose-gate.yaml', commandOfService('compose-gate.yaml', 'gate')],
  ])('the command of %s is a gate that lets in a peer, by name, and nobody else', async (_, command) => {
    const { cwd, urlOf } = await run(command)
    expect((await send(urlOf('gate'))).status).toBe(401)
    const { stdout } = await runCli(['code', 'alice', '--headers'], { cwd })
    const lines = stdout.trim().split('\n')
    const headers = Object.fromEntries(lines.map((line) => line.split(': ') as [string, string]))
    expect((await send(urlOf('gate'), headers)).text).toContain('alice said: hello')
    expect(await healthOf(urlOf('admin'))).toBe(200)
  })

  it.each([
    ['a2a-totp-proxy.service', commandOfUnit('a2a-totp-proxy.service')],
    ['kubernetes-proxy.yaml', commandOfPod('kubernetes-proxy.yaml')],
    ['compose-proxy.yaml', commandOfService('compose-proxy.yaml', 'proxy')],
  ])('the command of %s is a proxy that passes a call on', async (_, command) => {
    const { urlOf } = await run(command)
    expect(await send(urlOf('proxy'))).toMatchObject({
      status: 200,
      text: expect.stringContaining('hello') as string,
    })
    expect(await healthOf(urlOf('admin'))).toBe(200)
  })

  it('leads to the agent through the gate alone, whose network the agent shares', () => {
    const [gate] = podOf('kubernetes-gate.yaml').initContainers
    expect(podOf('kubernetes-gate.yaml').containers.flatMap(({ ports = [] }) => ports)).toEqual([])
    const [, service] = parseAllDocuments(textOf('kubernetes-gate.yaml')).map((one) => one.toJS() as unknown)
    const target = gate?.ports?.find(({ name }) => name === 'a2a')?.containerPort
    expect(service).toMatchObject({ kind: 'Service', spec: { ports: [{ targetPort: 'a2a' }] } })
    expect(gate?.args).toContain(`--listen=0.0.0.0:${target}`)
    const { agent, gate: front } = servicesOf('compose-gate.yaml')
    expect(agent).toMatchObject({ network_mode: 'service:gate' })
    expect(agent?.ports).toBeUndefined()
    expect(front?.ports).toEqual(['127.0.0.1:8080:8080'])
  })
})
