import { opensStream } from '../bindings/methods.js'
import type { CheckId } from '../check-ids.js'
import type { Exchange } from './exchange.js'

/** What methods are tried with, and the check that tries GetTask with the same. */
export const doorKeys = [
  { check: 'auth.none', label: 'no credentials' },
  { check: 'auth.bearer-only', label: 'the token alone' },
] as const satisfies readonly { check: CheckId; label: string }[]

export type DoorKey = (typeof doorKeys)[number]

/** How a request to a method is labelled, and which of the keys a labelled one was tried with. */
export const doorLabel = (name: string, { label }: DoorKey): string => `${name} with ${label}`
export const keyOf = ({ label }: Pick<Exchange, 'label'>): DoorKey =>
  doorKeys.find((key) => label.endsWith(` with ${key.label}`)) ?? doorKeys[0]

/** The requests to methods; of those that were asked again, the last. */
export function doorsTriedIn({ exchanges }: { readonly exchanges: readonly Exchange[] }): Exchange[] {
  const tried = exchanges.filter(({ stage, door }) => stage === 'door' && door !== undefined)
  // Both versions have an invented method of one name.
  const calls = tried.map((one) => [`${one.door?.protocol} ${one.label}`, one] as const)
  return [...new Map(calls).values()]
}

/** Whether an answer shows nothing about the agent: it is that of a limiter, or of something else in front. */
export const showsNothing = ({ answer: { kind } }: Pick<Exchange, 'answer'>): boolean =>
  kind === 'throttled' || kind === 'foreign'

/** Whether a request to a method asks for a stream. */
export const asksForStream = ({ door }: Pick<Exchange, 'door'>): boolean =>
  door !== undefined && opensStream(door)
