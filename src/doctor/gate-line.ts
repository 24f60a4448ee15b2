import type { JsonObject } from '../core/json.js'

/** The listeners of a gate where something is decided. */
const roles: ReadonlySet<unknown> = new Set(['gate', 'authz', 'authz-grpc'])

/** What became of a call, as the type of the event that is logged where no gate is. */
const typesOf: ReadonlyMap<unknown, string> = new Map([
  ['accepted', 'authenticated'],
  ['refused', 'refused'],
])

/**
 * What a line of `gate --log json` says, as an event: its `event` and `time` are `type` and `at`, and a call is what was
 * decided about it, with the proof that it has `shown`. Undefined for any other line, such as a call of a proxy, which
 * decides nothing.
 */
export function eventOfGate(line: JsonObject): JsonObject | undefined {
  const { event, time, role, result, shown } = line
  if (typeof event !== 'string' || typeof time !== 'string') return undefined
  if (event !== 'call') return { ...line, type: event, at: time }
  return roles.has(role) ? { ...line, type: typesOf.get(result) ?? event, at: time, proof: shown } : undefined
}
