import { once } from 'node:events'
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { startBinary } from './cli.js'

/** A listener, as `proxy --json` prints it. */
export interface Listener {
  readonly role: string
  readonly url: string
  readonly agent: string
  readonly peer?: string
}

export interface ProxyProcess {
  readonly child: ChildProcess
  readonly listeners: readonly Listener[]
  /** That of the first listener. */
  readonly url: string
  readonly stderr: () => string
}

/** Starts the built proxy, and reads its line once it is ready. */
export async function startProxyProcess(
  args: readonly string[],
  cwd: string,
  env: Record<string, string> = {},
): Promise<ProxyProcess> {
  const child = startBinary(['proxy', ...args, '--json'], { cwd, env })
  let stderr = ''
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const lines = createInterface({ input: child.stdout ?? Readable.from([]) })
  const [line] = (await Promise.race([
    once(lines, 'line'),
    once(child, 'close').then(() => {
      throw new Error(stderr)
    }),
  ])) as [string]
  const { listeners } = JSON.parse(line) as { listeners: Listener[] }
  return { child, listeners, url: listeners[0]?.url ?? '', stderr: () => stderr }
}
