import { count } from '../../core/text.js'
import type { AuthEvent, ServerFileEvent } from '../../server/scheme/events.js'
import type { SidecarEvent } from '../sidecar.js'

/** What a sidecar may observe. */
export type Event = AuthEvent | ServerFileEvent | SidecarEvent
export type EventOf<T extends Event['type'], E = Event> = E extends { readonly type: infer Types }
  ? T extends Types
    ? E
    : never
  : never

/** What a log says of an event. */
export interface Sentence {
  readonly level: 'info' | 'warning'
  readonly text: string
}

/** Decisions are shown by the line of their call; the sentences of alarms are the server's. */
type Told = Exclude<Event['type'], 'authenticated' | 'refused' | 'replayed' | 'throttled'>

const info = (text: string): Sentence => ({ level: 'info', text })
const warning = (text: string): Sentence => ({ level: 'warning', text })

const sentences: { readonly [T in Told]: (event: EventOf<T>) => Sentence } = {
  breaker_closed: ({ agent }) => info(`requests to ${agent} are passed on again`),
  breaker_opened: ({ agent, peer, advice }) =>
    warning(
      `${agent} refused the codes of ${peer} in several time steps, so nothing is sent any more: ${advice}`,
    ),
  canary_used: ({ canary }) => warning(`the token of canary ${canary} was sent`),
  card_remark: ({ agent, message }) => info(`card of ${agent}: ${message}`),
  clock_differs: ({ agent, seconds }) =>
    warning(
      `the clock of ${agent} is ${Math.abs(seconds)} s ${seconds < 0 ? 'behind' : 'ahead of'} this one`,
    ),
  clock_jumped: ({ peer }) => warning(`two codes of ${peer} cannot come from one clock`),
  code_from_two_sources: ({ peer }) => warning(`a code of ${peer} came from two addresses`),
  code_stale: ({ peer, drift }) =>
    info(`the clock of ${peer} is ${count(Math.abs(drift), 'time step')} ${drift < 0 ? 'behind' : 'ahead'}`),
  credentials_loaded: ({ agent, peer }) => info(`the credentials of ${peer} for ${agent} are in force`),
  credentials_refused: ({ agent, message }) =>
    warning(`the credentials for ${agent} could not be read anew: ${message}`),
  draining: () => info('no new calls are accepted; running ones end'),
  listening: ({ listener: { role, url, agent, peer } }) =>
    info(`${role}${agent && ` of ${agent}`}${peer === undefined ? '' : ` as ${peer}`} at ${url}`),
  proof_observed: ({ peer, proofReason }) => info(`the proof of ${peer} would be refused: ${proofReason}`),
  reloading: () => info('asked to read files anew'),
  server_file_exposed: ({ message }) => warning(message),
  server_file_loaded: ({ path, serial, older }) => ({
    level: older ? 'warning' : 'info',
    text: `server file ${path} is in force${serial === undefined ? '' : ` (serial ${serial}${older ? ', an older one' : ''})`}`,
  }),
  server_file_refused: ({ message }) => warning(message),
  stopped: () => info('stopped'),
  token_compromise_suspected: ({ advice }) => warning(advice),
  upstream_down: ({ agent, message }) => warning(`${agent} does not answer: ${message}`),
  upstream_up: ({ agent }) => info(`${agent} answers again`),
  warning: ({ message }) => warning(message),
}

const own: ReadonlySet<string> = new Set<SidecarEvent['type']>([
  'breaker_closed',
  'breaker_opened',
  'card_remark',
  'clock_differs',
  'credentials_loaded',
  'credentials_refused',
  'draining',
  'listening',
  'reloading',
  'stopped',
  'upstream_down',
  'upstream_up',
  'warning',
])

export function isSidecarEvent(event: Event): event is SidecarEvent {
  return own.has(event.type)
}

/** Whether it is what a guard decided about one request. */
export function isDecision(
  event: Event,
): event is EventOf<'authenticated' | 'refused' | 'replayed' | 'throttled'> {
  return !(event.type in sentences)
}

export function sentenceOf(event: Event): Sentence {
  const sentence = sentences[event.type as Told] as ((event: Event) => Sentence) | undefined
  return sentence?.(event) ?? info(event.type)
}
