import type { Pace } from './pace.js'
import type { Plant } from './plant.js'
import type { Holding } from './soak-process.js'

type Name = keyof Plant['processes']

/** What each process held at one moment. */
export interface Sample {
  readonly atMs: number
  readonly held: Readonly<Record<Name, Holding>>
}

export const names: readonly Name[] = ['gate', 'proxy', 'demo']

/** Asks each process what it holds, while no short call is under way. */
export function takeSample({ processes }: Plant, pace: Pace, atMs: number): Promise<Sample> {
  return pace.quiet(async () => {
    const [gate, proxy, demo] = await Promise.all([
      processes.gate.holding(),
      processes.proxy.holding(),
      processes.demo.holding(),
    ])
    return { atMs, held: { gate, proxy, demo } }
  })
}

/** Open streams and idle connections come and go: so many of each process's descriptors and handles. */
export const pooled = 16

const MiB = 1024 * 1024

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

const total = ({ handles }: Holding): number => Object.values(handles).reduce((sum, count) => sum + count, 0)

/**
 * What grew from the middle third of the samples to the last one. The first third is for warming up: code is compiled, the
 * nonces of a lifetime and the sources of the last 5,000 proofs pile up. Medians, since one sample says little.
 */
export function leaks(samples: readonly Sample[]): string[] {
  const third = Math.floor(samples.length / 3)
  const found: string[] = []
  for (const name of names) {
    const of = (part: readonly Sample[], what: (held: Holding) => number): number =>
      median(part.map(({ held }) => what(held[name])))
    const middle = samples.slice(third, 2 * third)
    const last = samples.slice(-third)
    const compare = (
      what: string,
      measure: (held: Holding) => number,
      most: (before: number) => number,
    ): void => {
      const [before, after] = [of(middle, measure), of(last, measure)]
      if (after > most(before)) found.push(`${name}: ${what} grew from ${before} to ${after}`)
    }
    const bytes = (before: number): number => before + Math.max(before * 0.05, 2 * MiB)
    compare('heap', ({ heapUsed }) => heapUsed, bytes)
    compare('external memory', ({ external }) => external, bytes)
    compare(
      'descriptors',
      ({ fds }) => fds,
      (before) => before + pooled,
    )
    compare('handles', total, (before) => before + pooled)
  }
  return found
}

/** A table of all samples. */
export function tableOf(samples: readonly Sample[]): string {
  const cell = ({ heapUsed, external, fds, handles }: Holding): string => {
    const mib = (bytes: number): string => (bytes / MiB).toFixed(2).padStart(6)
    return `${mib(heapUsed)} ${mib(external)} ${String(fds).padStart(4)} ${String(total({ handles } as Holding)).padStart(4)}`
  }
  const head = `minute | ${names.map((name) => `${name}: heap, external MiB, fds, handles`.padEnd(24)).join(' | ')}`
  const rows = samples.map(
    ({ atMs, held }) =>
      `${(atMs / 60_000).toFixed(1).padStart(6)} | ${names.map((name) => cell(held[name])).join('   | ')}`,
  )
  return [head, ...rows].join('\n')
}
