import packageJson from '../../../../package.json' with { type: 'json' }
import { observeGate, type Observation } from '../../../sidecar/observe/observer.js'
import type { Sidecar } from '../../../sidecar/sidecar.js'
import type { CliContext } from '../../context.js'
import { logOf } from '../../sidecar-log.js'
import { runSidecar } from '../../sidecar-run.js'
import type { OperationOptions } from '../sidecar-options.js'
import { readAuthz, type AuthzOptions } from './authz-options.js'
import type { GateOptions } from './gate-options.js'
import { readSettings } from './read-settings.js'

/** Runs a gate until it is told to end. */
export async function runGate(
  context: CliContext,
  given: GateOptions & AuthzOptions & OperationOptions,
): Promise<void> {
  const { env, now } = context
  const settings = readSettings(context, given, await readAuthz(context, given))
  const shared =
    given.redis === undefined
      ? undefined
      : (await import('../../redis-state.js')).openRedisState(given.redis, env)
  const { startGate } = await import('../../../sidecar/gate/index.js')
  const log = logOf(context, given.log)
  let observation: Observation | undefined
  const start = (): Promise<Sidecar> =>
    startGate({
      ...settings,
      state: shared?.state,
      whyNoState: shared?.whyDown,
      admin: given.admin,
      observe: (facts) => (observation = observeGate({ ...facts, log, version: packageJson.version, now })),
      warn: (message) => observation?.event({ type: 'warning', at: now(), message }),
    })
  try {
    await runSidecar(context, start, {
      drainMs: given.drain * 1000,
      onEvent: (event) => observation?.event(event),
    })
  } finally {
    shared?.close()
  }
}
