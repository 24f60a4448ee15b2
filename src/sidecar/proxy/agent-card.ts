import { isExposed, isOursToCall } from '../../core/card/hosts.js'
import { localCard, type LocalCard } from '../../core/card/local.js'
import { routeFor, type CardRoute } from '../../core/card/routes.js'
import { cardPath, type CardJson } from '../../core/card/shapes.js'
import { isLoopback } from '../../core/url.js'
import type { IncomingAnswer } from '../forward/exchange.js'
import { cardRequestFields, readCardAnswer } from '../card/received-card.js'
import type { ProxiedAgent } from './options.js'

/** Where agents of A2A 0.2 serve their card, and some of 0.3. */
const formerCardPath = '/.well-known/agent.json'

/** A card that a caller may see only with credentials, over HTTP+JSON: of 1.0, and of 0.3. */
const extendedCardPaths = ['/extendedAgentCard', '/v1/card']

/** The agent serves nothing there. Any other answer says nothing about the card that it has. */
const noCardStatuses: readonly number[] = [404, 405, 410]

/** What an agent writes into its cards is not limited. */
const mostRemarks = 100

export interface AgentCardOptions extends Pick<
  ProxiedAgent,
  'allowHosts' | 'insecureHttp' | 'cardSecurity' | 'certFile'
> {
  /** Where the agent is. */
  readonly url: URL
  /** The URLs that the user or the credentials name. */
  readonly known: readonly URL[]
  /** The header that carries the code, at the moment. */
  readonly header: () => string
  readonly onRemark: (message: string) => void
  /** Fetches a card from the agent, for this sidecar itself. */
  readonly fetch: (target: string, fields: readonly string[]) => Promise<IncomingAnswer>
}

/** The agent's card: it says where requests go, and is rewritten for the clients of this listener. */
export class AgentCard {
  readonly #options: AgentCardOptions
  readonly #remarked = new Set<string>()
  #routes: readonly CardRoute[] | undefined
  #fetching: Promise<void> | undefined
  #failedAt = 0
  #whyUnread: string | undefined

  constructor(options: AgentCardOptions) {
    this.#options = options
  }

  /** Where the agent is. */
  get url(): URL {
    return this.#options.url
  }

  /** The target at which the agent has the card that a request for this path means; undefined for any other path. */
  cardTarget(path: string): string | undefined {
    if (!path.endsWith(cardPath) && !path.endsWith(formerCardPath)) return undefined
    const { pathname } = this.#options.url
    if (path !== cardPath && path !== formerCardPath) return path
    // Asked for at the root, it is the card of the agent that was named.
    return isCardPath(pathname) ? pathname : pathname.replace(/\/$/, '') + path
  }

  isExtendedCard(method: string, path: string): boolean {
    return method === 'GET' && extendedCardPaths.some((end) => path.endsWith(end))
  }

  /**
   * The card for a client.
   *
   * @param self where the client reaches this listener
   * @param isPublic whether the routes of later requests are those of this card
   */
  rewrite(card: CardJson, target: string, self: URL, isPublic = true): LocalCard {
    const { url, known, allowHosts, insecureHttp, header, cardSecurity, certFile, onRemark } = this.#options
    const local = localCard(card, {
      cardUrl: new URL(url.origin + target),
      self,
      isOurs: (one) => isOursToCall(one, { known, allowHosts }) && (insecureHttp || !isExposed(one.url)),
      header: header(),
      security: cardSecurity,
      certificate: certFile !== undefined,
    })
    if (isPublic) this.#routes = local.routes
    for (const remark of local.remarks.filter((one) => !this.#remarked.has(one))) {
      if (this.#remarked.size >= mostRemarks) break
      this.#remarked.add(remark)
      onRemark(remark)
    }
    return local
  }

  /** Why the card could not be read, though the agent may have one; undefined if it was, or there is none. */
  get whyUnread(): string | undefined {
    return this.#routes === undefined ? this.#whyUnread : undefined
  }

  /** Where a request goes: to a route of the card, else to the agent's origin. Of gRPC undefined if there is none. */
  async destination(path: string, isGrpc: boolean): Promise<URL | undefined> {
    const { url, allowHosts } = this.#options
    // A client may have kept its card from before this start. On loopback HTTP goes nowhere but to the agent's origin.
    const mayBeElsewhere = isGrpc || allowHosts.length > 0 || !isLoopback(url)
    if (this.#routes === undefined && mayBeElsewhere) await this.#fetch()
    const route = routeFor(this.#routes ?? [], { isGrpc, path })
    const [anyGrpc] = isGrpc ? (this.#routes ?? []).filter(({ binding }) => binding === 'grpc') : []
    return (route ?? anyGrpc)?.upstream ?? (isGrpc ? undefined : url)
  }

  /** The next call reads the card again: what it named could not be reached. */
  forget(): void {
    this.#routes = undefined
  }

  #fetch(): Promise<void> {
    if (Date.now() - this.#failedAt < 1000) return Promise.resolve()
    this.#fetching ??= this.#read().finally(() => (this.#fetching = undefined))
    return this.#fetching
  }

  async #read(): Promise<void> {
    const { url, fetch } = this.#options
    this.#whyUnread = undefined
    for (const path of [cardPath, formerCardPath]) {
      const target = this.cardTarget(path) ?? path
      const answer = await fetch(target, cardRequestFields('1.0'))
      const found = await readCardAnswer(answer)
      if (found.ok) {
        // The routes are the same wherever clients reach this listener.
        this.rewrite(found.card, target, new URL('/', url))
        return
      }
      if (!noCardStatuses.includes(answer.status)) this.#whyUnread ??= found.why
      if (isCardPath(url.pathname)) break
    }
    this.#failedAt = Date.now()
  }
}

/** Whether a path is that of a card rather than of an agent. */
function isCardPath(path: string): boolean {
  return path.endsWith('.json') || path.includes('/.well-known/')
}
