import { isSamePlace } from '../../core/card/others.js'
import type { MeshAgent } from '../file/mesh.js'
import { crossingsOf, refusedCrossing } from './crossings.js'
import { isUsable, type Pair } from './pairs.js'
import type { ProveOptions } from './prove-options.js'
import { admittedBy } from './readings.js'
import { refusalsOf } from './refusals.js'
import { Runs } from './runs.js'
import {
  ofLead,
  ofLetIn,
  ofRefused,
  ofStranger,
  passed,
  silenceIn,
  unshown,
  withoutCredentials,
  type AgentShown,
  type PairShown,
  type Shown,
} from './shown.js'

/** One run over a mesh. */
export class Proving {
  readonly #runs: Runs
  #agentsDone = 0
  #edgesDone = 0
  #agents = 0

  constructor(
    private readonly options: ProveOptions,
    private readonly pairs: readonly Pair[],
    everyPair: readonly Pair[],
  ) {
    this.#runs = new Runs(options, everyPair, () => {
      this.#tell()
    })
  }

  get requests(): number {
    return this.#runs.requests
  }

  async all(agents: readonly MeshAgent[]): Promise<{ agents: AgentShown[]; pairs: PairShown[] }> {
    this.#agents = agents.length
    this.#tell()
    const seen = await Promise.all(agents.map((agent) => this.#agent(agent)))
    const byPair = new Map(seen.flatMap(({ pairs }) => pairs.map((one) => [one.pair, one])))
    if (this.options.cross === true)
      await this.#cross(
        byPair,
        seen.map(({ shown }) => shown),
      )
    return {
      agents: seen.map(({ shown }) => shown),
      // In the order of the matrix.
      pairs: this.pairs.flatMap((pair) => byPair.get(pair) ?? []),
    }
  }

  async #agent(agent: MeshAgent): Promise<{ shown: AgentShown; pairs: PairShown[] }> {
    const own = this.pairs.filter((pair) => pair.agent === agent)
    const shown = await this.#lead(agent, own)
    this.#agentsDone += 1
    const pairs = await Promise.all(
      own.map(async (pair) => {
        const one = await this.#pair(pair, shown)
        this.#edgesDone += 1
        this.#tell()
        return one
      }),
    )
    return { shown, pairs }
  }

  /** Probes an agent in full as its first peer that can call it. */
  async #lead(agent: MeshAgent, own: readonly Pair[]): Promise<AgentShown> {
    const twin = [...this.options.mesh.agents.values()].find(
      (other) => other !== agent && isSamePlace(new URL(other.url), new URL(agent.url)),
    )
    if (twin) {
      const detail = `${twin.name} has the same URL, so whose tokens it may get is not known; nothing was sent`
      return { agent, detail, isGap: true }
    }
    const lead = own.find(isUsable)
    if (!lead) return ofStranger(agent, await this.#runs.stranger(agent))
    const { other, report: running } = this.#runs.full(lead)
    const report = await running
    if (!report) return { agent, detail: passed, isGap: true }
    return {
      agent,
      lead,
      report,
      detail: silenceIn(report),
      isGap: !report.reachable,
      ...(other && { other }),
    }
  }

  async #pair(pair: Pair, ofAgent: AgentShown): Promise<PairShown> {
    if (ofAgent.isGap) {
      const not = unshown(`not sent: ${ofAgent.detail}`)
      const shown =
        withoutCredentials(pair) ?? (pair === ofAgent.lead ? { ...not, detail: ofAgent.detail } : not)
      return { pair, shown, removed: pair.removed.map((of) => ({ ...not, of })) }
    }
    if (pair === ofAgent.lead && ofAgent.report) {
      return { pair, shown: ofLead(ofAgent.report), removed: await this.#removed(pair, ofAgent) }
    }
    if (isUsable(pair)) {
      const { other, report: running } = this.#runs.thin(pair)
      const report = await running
      const shown = report ? ofLetIn(report, other) : unshown(passed)
      return { pair, shown, removed: await this.#removed(pair, ofAgent) }
    }
    const shown = withoutCredentials(pair) ?? (await this.#refused(pair, ofAgent)) ?? unshown('')
    return { pair, shown, removed: await this.#removed(pair, ofAgent) }
  }

  async #refused(pair: Pair, ofAgent: AgentShown): Promise<Shown | undefined> {
    const refusal = refusalsOf(pair).find(({ removed }) => removed === undefined)
    if (!refusal?.credentials) return undefined
    const report = await this.#runs.refused(pair.agent, refusal.credentials)
    return report ? telling(ofRefused(report, refusal), ofAgent) : unshown(passed)
  }

  async #removed(pair: Pair, ofAgent: AgentShown): Promise<PairShown['removed']> {
    return Promise.all(
      refusalsOf(pair).flatMap((refusal) => {
        const { removed: of, credentials } = refusal
        if (!of) return []
        const run = async (): Promise<Shown> => {
          if (!credentials) return unshown('of its token only the hash is known: drop it with --forget')
          const report = await this.#runs.refused(pair.agent, credentials)
          return report ? telling(ofRefused(report, refusal), ofAgent) : unshown(passed)
        }
        return [run().then((shown) => ({ ...shown, of }))]
      }),
    )
  }

  /** Sends whole credentials of other edges, last: what an agent did until then is not changed by what it learns. */
  async #cross(byPair: Map<Pair, PairShown>, agents: readonly AgentShown[]): Promise<void> {
    const crossings = crossingsOf(this.options, this.pairs)
    await Promise.all(
      crossings.map(async ({ at, of, credentials }) => {
        const known = byPair.get(at)
        if (!known || agents.find(({ agent }) => agent === at.agent)?.isGap !== false) return
        const report = await this.#runs.refused(at.agent, credentials)
        const before = byPair.get(at) ?? known
        byPair.set(at, refusedCrossing(before, of, report))
      }),
    )
  }

  #tell(): void {
    this.options.progress?.({
      agents: { done: this.#agentsDone, of: this.#agents },
      edges: { done: this.#edgesDone, of: this.pairs.length },
      requests: this.#runs.requests,
    })
  }
}

/** What a refusal shows: nothing at an agent that refuses right credentials as well. */
function telling(shown: Shown, { lead, report }: AgentShown): Shown {
  if (shown.admitted !== false || !lead || !report || admittedBy(report) === true) return shown
  const detail = 'refused, which shows nothing: the agent refuses right credentials as well'
  return { ...shown, admitted: null, status: 'skip', detail }
}
