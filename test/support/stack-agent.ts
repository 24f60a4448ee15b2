import { makeStore, startBinary } from './cli.js'
import { clientVariables } from './client-variables.js'
import { firstLineOf } from './python.js'

export interface StackAgent {
  /** The folder of its store, with the peer alice. */
  readonly cwd: string
  readonly origin: string
  /** Of its first interface. */
  readonly url: string
  /** What `config client` prints for alice. */
  readonly variables: Readonly<Record<string, string>>
}

/**
 * Starts the demo agent of a new store, for clients of other frameworks.
 *
 * @param bindings as the option of `demo`
 * @param options of `init`
 */
export async function startStackAgent(bindings: string, ...options: string[]): Promise<StackAgent> {
  const cwd = await makeStore(['alice'], options)
  const card = await firstLineOf(startBinary(['--quiet', 'demo', '--bindings', bindings], { cwd }))
  const { supportedInterfaces } = (await (await fetch(card)).json()) as {
    readonly supportedInterfaces: readonly [{ readonly url: string }]
  }
  return {
    cwd,
    origin: new URL(card).origin,
    url: supportedInterfaces[0].url,
    variables: await clientVariables(cwd),
  }
}
