import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { binary } from '../cli.js'
import type { GatePlace, RunningGate, SeenCall } from './gate.js'
import { ask } from './wire.js'

interface LoggedLine extends SeenCall {
  readonly event: string
  readonly path?: string
}

/** The built command, and the calls of its log. */
export async function commandGate({ folder, port, grpcPort }: GatePlace): Promise<RunningGate> {
  const addresses = ['--authz', `127.0.0.1:${port}`, '--authz-grpc', `127.0.0.1:${grpcPort}`]
  const args = ['gate', ...addresses, '--server-file', 'server.json', '--log', 'json', '--json']
  const child = spawn(process.execPath, [binary, ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exit = once(child, 'exit')
  const said: string[] = []
  let heard = (): void => undefined
  createInterface({ input: child.stderr }).on('line', (line) => {
    said.push(line)
    heard()
  })
  const ended = exit.then(() => {
    throw new Error(`the gate ended: ${said.join('\n')}`)
  })
  ended.catch(() => undefined)
  const [first] = (await Promise.race([once(createInterface({ input: child.stdout }), 'line'), ended])) as [
    string,
  ]
  const { listeners } = JSON.parse(first) as { listeners: { role: string; url: string }[] }
  const portOf = (role: string): number =>
    Number(new URL(listeners.find((one) => one.role === role)?.url ?? '').port)
  const own = portOf('authz')
  const calls = (): LoggedLine[] =>
    said.map((line) => JSON.parse(line) as LoggedLine).filter(({ event }) => event === 'call')
  let marks = 0
  return {
    port: own,
    grpcPort: portOf('authz-grpc'),
    calls: async () => {
      // What was asked before this one is in the log before it.
      const mark = `/mark-${++marks}`
      await ask(own, { method: 'GET', target: mark })
      while (!calls().some(({ path }) => path === mark))
        await Promise.race([new Promise<void>((resolve) => (heard = resolve)), ended])
      return calls().filter(({ path = '' }) => !path.startsWith('/mark-'))
    },
    close: async () => {
      child.kill('SIGTERM')
      await exit
    },
  }
}
