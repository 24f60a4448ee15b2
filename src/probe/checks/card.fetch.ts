import type { RunCheck } from './check.js'
import type { Evidence } from '../run/evidence.js'
import { passed, warned, type Verdict } from './verdict.js'

export const cardFetch: RunCheck = {
  id: 'card.fetch',
  scope: 'run',
  proves: 'the agent card is served',
  expects: 'a card with its interfaces',
  withoutCalls: true,
  judge: judgeFetch,
  means:
    'Clients find the interfaces and the security schemes in the agent card; without it they cannot call. The probe used the URL itself as the endpoint.',
  fix: [
    'Serve it at `/.well-known/agent-card.json`, outside the guard: the card is public.',
    '@a2a-js/sdk: mount `agentCardHandler` before the guard. a2a-sdk (Python): card routes are separate; exclude them from the middleware.',
  ],
}

function judgeFetch({ discovery, cells }: Evidence): Verdict {
  const { cards, problem, durationMs } = discovery
  if (cards.length === 0) {
    return { ...warned('no card', `${problem}; the URL itself was used as the endpoint`), durationMs }
  }
  if (cells.length === 0)
    return { ...warned('a card', 'it names no interface that the probe knows'), durationMs }
  return { ...passed(cards.length === 1 ? 'a card' : 'a card for each version'), durationMs }
}
