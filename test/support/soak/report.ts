import { tableOf } from './holdings.js'
import type { Failure } from './record.js'
import type { SoakReport } from './soak.js'

const list = (title: string, counts: ReadonlyMap<string, number | string>): string =>
  [title, ...Array.from(counts, ([name, count]) => `  ${String(count).padStart(7)}  ${name}`).sort()].join(
    '\n',
  )

const sum = (counts: ReadonlyMap<string, number>): number => [...counts.values()].reduce((a, b) => a + b, 0)

/** What a soak has seen, as text. */
export function textOf({ record, samples }: SoakReport): string {
  const { served, aborted, excused, bad, disturbances, recovery } = record
  return [
    tableOf(samples),
    list(`${sum(served)} good calls served`, served),
    list(`${sum(aborted)} aborted by their caller`, aborted),
    list(`${sum(excused)} refused, as the docs allow`, excused),
    list(`${sum(bad)} bad calls refused, or valid by the agent's clock`, bad),
    list(`${sum(disturbances)} disturbances`, disturbances),
    list('longest time from the end of a disturbance to the first call served, in ms', recovery),
  ].join('\n\n')
}

/** Failures, each with what the processes said around it. */
export function explained({ plant, record }: SoakReport, failures: readonly Failure[], most = 5): string[] {
  return failures.slice(0, most).map(({ at, from, what }) => {
    const said = Object.values(plant.processes).flatMap((process) =>
      process
        .saidBetween(from - 500, at + 500)
        .filter(({ text }) => text.includes('"cut":true') || !/"status":200|accepted/.test(text))
        .slice(-40)
        .map((line) => `  ${new Date(line.at).toISOString()} ${process.name}: ${line.text.slice(0, 300)}`),
    )
    const done = record.done
      .filter((one) => one.at >= from - 30_000 && one.at <= at)
      .map((one) => `  ${new Date(one.at).toISOString()} done: ${one.text}`)
    return [`${new Date(from).toISOString()} ${what}`, ...done, ...said].join('\n')
  })
}
