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
    'Clients find the interfaces and the security schemes in the agent card; without it they cannot call. Without a card the probe uses the URL itself as the endpoint, and `coverage` fails unless `--binding` and `--protocol` say what it is. A card that is refused with 401 or 403 is asked for again with the credentials, on the host that they are for. The path of A2A 0.2, `/.well-known/agent.json`, is tried last. If the URL is that of a card, no other place is tried.',
  fix: [
    'Serve it at `/.well-known/agent-card.json`, outside the guard: the card is public.',
    'A redirect is never followed: probe the address that it leads to, if that is the agent.',
    'Without a byte order mark, and compressed only where the request accepts that: not every client reads it otherwise.',
    '@a2a-js/sdk: mount `agentCardHandler` before the guard. a2a-sdk (Python): card routes are separate; exclude them from the middleware.',
  ],
}

function judgeFetch({ discovery, cells, exchanges }: Evidence): Verdict {
  const { cards, problem, remarks, durationMs } = discovery
  if (cards.length === 0) {
    const used = cells.length > 0 ? '; the URL itself was used as the endpoint' : ''
    return { ...warned('no card', problem + used), durationMs }
  }
  if (cells.length === 0)
    return { ...warned('a card', 'it names no interface that the probe knows'), durationMs }
  const odd = oddities(exchanges)
  if (remarks.length > 0)
    return { ...warned('a card', [...remarks, odd].filter(Boolean).join('; ')), durationMs }
  return { ...passed(cards.length === 1 ? 'a card' : 'a card for each version', odd), durationMs }
}

/** What other clients may not be able to read. */
function oddities(exchanges: Evidence['exchanges']): string {
  const remarks = exchanges
    .filter(({ stage, answer }) => stage === 'card' && answer.status === 200)
    .flatMap(({ answer }) => answer.remarks ?? [])
  return [...new Set(remarks)].map((remark) => `the card ${remark}`).join('; ')
}
