import { setTimeout as sleep } from 'node:timers/promises'
import { numbers } from '../numbers.js'
import { runBadCaller, runGuesser, type Loot } from './bad-callers.js'
import { outlivedMs, runDeliveries } from './deliver.js'
import { excuseStart, runCuts, runDisturbances, type Site } from './disturb.js'
import { Excuses } from './excuses.js'
import { takeSample, type Sample } from './holdings.js'
import { lanes, runLane } from './lanes.js'
import { Pace } from './pace.js'
import { startPlant, type Plant } from './plant.js'
import { SoakRecord } from './record.js'

export interface SoakReport {
  readonly record: SoakRecord
  readonly samples: readonly Sample[]
  readonly plant: Plant
}

/** An open stream ends within 4 seconds after its credentials (docs/sidecars.md), and later on a machine that is busy. */
const endsWithinMs = 6000

/** How many captured calls are kept, to be sent again. */
const keptCalls = 200

/** Runs everything for so long. The seed decides what happens, not to the millisecond when. */
export async function soak(ms: number, seed: number): Promise<SoakReport> {
  const plant = await startPlant()
  const excuses = new Excuses()
  const record = new SoakRecord(excuses)
  const pace = new Pace()
  const loot: Loot = { captured: [], superseded: [] }
  const begin = Date.now()
  const endsAt = begin + ms
  const begins: number[] = []
  let streams = 0
  /** Each activity has numbers of its own, so that one does not change what the others do. */
  const load = (): Site => ({
    ...{ plant, record, pace, excuses, endsAt, begins },
    random: numbers(seed + 7919 * streams++),
    capture: (captured) => {
      loot.captured.push(captured)
      if (loot.captured.length > keptCalls) loot.captured.shift()
    },
    streamed: (lane, authorization, from) => {
      const outlived = outlivedMs(plant, loot, lane, authorization, from)
      if (outlived > endsWithinMs) {
        record.fail(`${lane.name}: a stream went on for ${outlived} ms after its token had ended`, from)
      }
    },
  })
  excuseStart(load())
  const running = [
    ...lanes.flatMap((lane) =>
      Array.from({ length: lane.kind === 'stream' ? 3 : 1 }, () => runLane(load(), lane)),
    ),
    ...(['gate', 'demo'] as const).map((target) => runBadCaller(load(), target, loot)),
    runGuesser(load()),
    runDisturbances(load()),
    runDeliveries(load(), loot),
    runCuts(load()),
    watchAgent(plant, record, pace),
  ]
  const samples: Sample[] = []
  const every = Math.min(60_000, ms / 15)
  while (Date.now() < endsAt) {
    await sleep(Math.min(every, Math.max(0, endsAt - Date.now())))
    samples.push(await takeSample(plant, pace, Date.now() - begin))
  }
  pace.end()
  await Promise.all(running)
  for (const process of Object.values(plant.processes)) {
    if (!process.isRunning) record.fail(`the ${process.name} has ended`)
  }
  return { record, samples, plant }
}

/** No call reaches the agent twice, and none of a bad caller reaches it at all. */
async function watchAgent({ agent }: Plant, record: SoakRecord, pace: Pace): Promise<void> {
  const seen = new Set<string>()
  const told = new Set<string>()
  while (!pace.isOver) {
    await sleep(1000)
    for (const [id, times] of agent.reached) {
      if (times === 1 && !id.startsWith('bad-')) continue
      // Its caller is told first whether the agent's clock made it a good one.
      const isNew = !seen.has(id)
      seen.add(id)
      if (isNew || told.has(id) || (times === 1 && record.madeGood.has(id))) continue
      told.add(id)
      record.fail(`the agent behind the gate got ${id} ${times} times`)
    }
  }
}
