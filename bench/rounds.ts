/** One way of doing a thing. Gives the cost of one sample; any unit, the same for all that are compared. */
export type Sampler = () => number | Promise<number>

export type Samples<Name extends string> = Readonly<Record<Name, readonly number[]>>

/**
 * Takes a sample of every variant a round. Each round begins with another variant, so that none always runs after
 * the same one. A first round warms up and is dropped.
 */
export async function takeRounds<Name extends string>(
  variants: Readonly<Record<Name, Sampler>>,
  rounds: number,
  beforeRound: () => unknown = () => undefined,
): Promise<Samples<Name>> {
  const names = Object.keys(variants) as Name[]
  const samples = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, number[]>
  for (let round = 0; round <= rounds; round++) {
    await beforeRound()
    for (let place = 0; place < names.length; place++) {
      const name = names[(place + round) % names.length]
      if (name === undefined) continue
      const cost = await variants[name]()
      if (round > 0) samples[name].push(cost)
    }
  }
  return samples
}

/** How much CPU time a batch should take, in nanoseconds: far more than the clock's resolution of a microsecond. */
const batchTime = 20e6

/**
 * A sampler of the CPU time of one call, in nanoseconds, over a batch of calls. CPU time, because other processes
 * on the machine do not lengthen it; a batch of the same size in each round, found when the sampler warms up.
 */
export function cpuTimeOf(call: () => unknown): Sampler {
  let size = 0
  const batch = async (): Promise<number> => {
    const start = cpuNanoseconds()
    for (let done = 0; done < size; done++) {
      const answer = call()
      if (answer instanceof Promise) await answer
    }
    return cpuNanoseconds() - start
  }
  return async () => {
    if (size === 0) for (size = 16; (await batch()) < batchTime; size *= 2);
    return (await batch()) / size
  }
}

/** CPU time that this process has used so far, in nanoseconds. */
export function cpuNanoseconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) * 1000
}
