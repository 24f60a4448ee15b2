import type { Attempt, Decision, LateCode } from '../../src/state/state.js'

interface Guess {
  readonly at: number
  readonly token: string | undefined
  readonly code: string
  readonly timeStep: number
}

/**
 * What a state has to decide, written down as plainly as possible: it keeps lists, forgets nothing but what the bound on a
 * log makes it forget, and looks at everything each time. The real states are compared with it.
 */
export class ReferenceState {
  readonly #claims = new Map<string, number>()
  readonly #guesses = new Map<string, Guess[]>()
  /** First seed, time step and code of each wrong code. */
  readonly #sent = new Set<string>()
  /** Seed and nonce of each proof. */
  readonly #nonces = new Set<string>()
  readonly #ahead: { readonly peer: string; readonly late: LateCode; readonly at: number }[] = []

  decide(attempt: Attempt): Decision['kind'] | 'uncounted' | 'tripped' {
    const { comparison, policy, seeds, timeStep, budgets, token } = attempt
    const at = attempt.at.getTime()
    if (attempt.proof && comparison.kind === 'match') {
      const id = `${comparison.seed} ${attempt.proof.nonce}`
      if (this.#nonces.has(id)) return 'replayed'
      this.#nonces.add(id)
      const last = this.#claims.get(comparison.seed) ?? -1
      this.#claims.set(comparison.seed, Math.max(comparison.timeStep, last))
      return 'accepted'
    }
    if (this.#exhausted(attempt)) return 'throttled'
    if (comparison.kind === 'guess') {
      const [first] = seeds
      const id = `${first} ${timeStep} ${comparison.code}`
      if (first === undefined || this.#sent.has(id)) return 'uncounted'
      this.#sent.add(id)
      const most = Math.max(...budgets.map(({ limit }) => limit))
      for (const seed of seeds) {
        const log = this.#guesses.get(seed) ?? []
        const newest = Math.max(-Infinity, ...log.map((guess) => guess.at))
        const instant = Math.max(at, Math.min(newest, at + 60_000))
        const own = log.filter((guess) => guess.token === token)
        const others = log.filter((guess) => guess.token !== token)
        own.push({ at: instant, token, code: comparison.code, timeStep })
        own.sort((one, other) => one.at - other.at)
        this.#guesses.set(seed, [...others, ...own.slice(-most)])
      }
      return this.#exhausted(attempt) ? 'tripped' : 'wrong'
    }
    const last = this.#claims.get(comparison.seed) ?? -1
    if (policy === 'once' && comparison.timeStep <= last) return 'replayed'
    this.#claims.set(comparison.seed, Math.max(comparison.timeStep, last))
    return 'accepted'
  }

  takeBack({ comparison, peer, seeds, timeStep, at }: Attempt, late: LateCode): boolean {
    if (comparison.kind !== 'guess') return false
    if (late.drift > 0) {
      const expected = [-1, 0, 1].some((off) => {
        const last = this.#ahead.findLast(
          (one) => one.peer === `${seeds[0]} ${peer}` && one.late.drift === late.drift + off,
        )
        const recent = last && Math.abs(last.at - at.getTime()) <= 20 * 60_000
        return recent && last.late.timeStep < late.timeStep
      })
      this.#ahead.push({ peer: `${seeds[0]} ${peer}`, late, at: at.getTime() })
      if (!expected) return false
    }
    for (const seed of seeds) {
      const log = this.#guesses.get(seed) ?? []
      const others = log.filter((guess) => guess.code !== comparison.code || guess.timeStep !== timeStep)
      this.#guesses.set(seed, others)
    }
    return true
  }

  #exhausted({ seeds, budgets, at, liveTokens }: Attempt): boolean {
    const counts = ({ token }: Guess): boolean =>
      token === undefined || (liveTokens?.()?.includes(token) ?? true)
    return seeds.some((seed) =>
      budgets.some(({ limit, seconds }) => {
        const since = at.getTime() - seconds * 1000
        const recent = (this.#guesses.get(seed) ?? []).filter((one) => one.at > since && counts(one))
        return recent.length >= limit
      }),
    )
  }
}
