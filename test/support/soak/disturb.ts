import { setTimeout as sleep } from 'node:timers/promises'
import { differenceBetween } from './clocks.js'
import type { Excuse, Excuses, RefusedCall } from './excuses.js'
import { lanes, type Load } from './lanes.js'
import { clocksOf, isPlain, type Lane, type Plant } from './plant.js'
import { add } from './record.js'

export interface Site extends Load {
  readonly excuses: Excuses
  /** Until when the memory of each Redis may have begun, in milliseconds: at the start, and after each loss. */
  readonly begins: number[]
  readonly endsAt: number
}

/** What a machine that is busy may take longer, in milliseconds: with a load of 20 on two cores, calls took up to 3 s. */
const slack = 5000

/** ioredis connects again after a second at most (docs/state.md: as soon as the client has connected). */
const reconnectMs = 1000

/** Signed, after a loss: 1.5 s, and the rest of a second, since whole ones are compared. */
const beginsMs = 2500

/** Under `once`, after a loss: window + 1 periods more. */
const onceBeginsMs = beginsMs + 60_000

/** A clock that was off by more than the window: the claims that it left are over after three time steps. */
const claimsMs = 90_000

const isOncePlain = ({ peer }: Lane): boolean => peer.replay === 'once' && isPlain(peer)
const atGate = ({ lane }: RefusedCall): boolean => lane.peer.target === 'gate'

/** Waits until each lane was served again, with a call that began after now. */
export async function expectServed(
  { record }: Site,
  kind: string,
  which: readonly Lane[],
  withinMs: number,
): Promise<void> {
  const endedAt = Date.now()
  await Promise.all(
    which.map(async ({ name }) => {
      const at = await record.servedAfter(name, endedAt, withinMs + slack)
      if (at === undefined)
        record.fail(`${name}: not served again within ${withinMs} ms after ${kind}`, endedAt)
      else record.recovery.set(kind, Math.max(record.recovery.get(kind) ?? 0, at - endedAt))
    }),
  )
  add(record.disturbances, kind)
}

/** The lanes that are called all the time. */
const steady = (which: (lane: Lane) => boolean): Lane[] =>
  lanes.filter((lane) => lane.kind !== 'stream' && !isOncePlain(lane) && which(lane))

const gateLanes = steady(({ peer }) => peer.target === 'gate')

async function crashRedis(site: Site, keepsData: boolean): Promise<void> {
  const { plant, excuses, random, record } = site
  const kind = keepsData ? 'redis killed, with its data' : 'redis killed, without its data'
  const opened: [excuse: Excuse, afterMs: number][] = [
    [excuses.open('redis down', (call) => atGate(call) && call.refusal === '503'), reconnectMs],
    [
      excuses.open(
        'redis begins anew',
        (call) => atGate(call) && call.refusal === '503' && !isPlain(call.lane.peer),
      ),
      reconnectMs + beginsMs,
    ],
    [
      excuses.open(
        'redis begins anew, once',
        (call) =>
          atGate(call) && (call.refusal === '503' || call.refusal === 'spent') && isOncePlain(call.lane),
      ),
      reconnectMs + onceBeginsMs,
    ],
  ]
  record.note(kind)
  await plant.redis.crash()
  await sleep(200 + random(4000))
  if (!keepsData) plant.redis.forget()
  await plant.redis.resume()
  record.note('redis is back')
  for (const [excuse, afterMs] of opened) excuse.until = Date.now() + afterMs + slack
  site.begins.push(Date.now() + reconnectMs + beginsMs + slack)
  await expectServed(site, kind, gateLanes, reconnectMs + beginsMs)
}

async function freezeRedis(site: Site): Promise<void> {
  const { plant, excuses, random, record } = site
  record.note('redis frozen')
  const down = excuses.open('redis frozen', (call) => atGate(call) && call.refusal === '503')
  // A decision that Redis makes too late spends a time step (docs/state.md).
  const spent = excuses.open(
    'redis was late',
    (call) => atGate(call) && call.refusal === 'spent' && isOncePlain(call.lane),
  )
  await plant.redis.freeze()
  await sleep(200 + random(5000))
  await plant.redis.thaw()
  record.note('redis thawed')
  down.until = Date.now() + slack
  spent.until = Date.now() + 60_000 + slack
  await expectServed(site, 'redis frozen', gateLanes, 500)
}

const offsets = [2000, -2000, 40_000, -40_000, 3_600_000, -3_600_000]

async function setClock(site: Site, name: keyof Plant['clocks']): Promise<void> {
  const { plant, random, record } = site
  const clock = plant.clocks[name]
  const aheadMs = offsets[random(offsets.length)] ?? 0
  const concerns = (lane: Lane): boolean => Object.values(clocksOf(plant, lane)).includes(clock)
  const opened = excuseClock(site, concerns, Math.abs(aheadMs) > 30_000)
  record.note(`clock of ${name} set to ${aheadMs / 1000} s`)
  await clock.set(aheadMs)
  await sleep(3000 + random(20_000))
  await clock.set(0)
  record.note(`clock of ${name} set back`)
  const [off, claimed] = opened
  off.until = Date.now()
  claimed.until = Date.now() + claimsMs + slack
  await expectServed(
    site,
    `clock of ${name} ${aheadMs > 0 ? '+' : ''}${aheadMs / 1000} s`,
    steady(concerns),
    500,
  )
}

function excuseClock(
  { plant, excuses }: Site,
  concerns: (lane: Lane) => boolean,
  isOff: boolean,
): [off: Excuse, claimed: Excuse] {
  const isRefusal = ({ refusal }: RefusedCall): boolean => refusal === '401' || refusal === 'spent'
  return [
    excuses.open('clocks differ', (call) => {
      const { client, server } = clocksOf(plant, call.lane)
      return isRefusal(call) && differenceBetween(client, server, call.from - 100, call.until) > 29_000
    }),
    excuses.open(
      'clocks differed, once',
      (call) => isOff && concerns(call.lane) && isRefusal(call) && isOncePlain(call.lane),
    ),
  ]
}

/** An hour off for three time steps: the proxy's breaker opens, and SIGHUP closes it. */
async function openBreaker(site: Site): Promise<void> {
  const { plant, excuses, endsAt, record } = site
  if (endsAt - Date.now() < 300_000) return
  const { proxy } = plant.processes
  const concerns = ({ way }: Lane): boolean => way === 'proxied'
  const [off, claimed] = excuseClock(site, concerns, true)
  const open = excuses.open('breaker open', ({ lane, refusal }) => concerns(lane) && refusal === '503')
  const opens = proxy.willSay((line) => line.includes('"breaker_opened"'), 240_000)
  record.note('clock of the proxy set to 3600 s, for its breaker')
  await plant.clocks.proxy.set(3_600_000)
  await opens
  await plant.clocks.proxy.set(0)
  off.until = claimed.until = Date.now()
  const closes = proxy.willSay((line) => line.includes('"breaker_closed"'), 5000)
  proxy.signal('SIGHUP')
  record.note('breaker opened, clock set back, SIGHUP')
  await closes
  open.until = Date.now() + 100
  await expectServed(site, 'breaker open', steady(concerns), 500)
}

const clockNames = ['gate', 'proxy', 'demo', 'gateClients', 'demoClients'] as const

/** A Redis that is new begins as one that was lost. */
export function excuseStart({ excuses, begins, plant }: Site): void {
  begins.push(Date.now() + beginsMs + slack)
  // A clock that is behind dates its proofs before the memory begins (docs/state.md: 503 for proofs created before).
  excuses.open('clock behind the memory', (call) => {
    if (!atGate(call) || call.refusal !== '503' || isPlain(call.lane.peer)) return false
    const { earliest } = clocksOf(plant, call.lane).client.shownBetween(call.from - 100, call.until)
    return begins.some((begun) => earliest <= begun && earliest < call.from - 1000)
  })

  const isLate = ({ lane, refusal }: RefusedCall): boolean =>
    lane.peer.target === 'gate' && (refusal === '503' || refusal === 'spent')
  excuses.open('start', (call) => isLate(call) && !isOncePlain(call.lane), Date.now() + beginsMs + slack)
  excuses.open(
    'start, once',
    (call) => isLate(call) && isOncePlain(call.lane),
    Date.now() + onceBeginsMs + slack,
  )
}

/** Redis and the clocks, one at a time: what a Redis remembers that was lost while a clock was wrong is another test's. */
const disturbances: readonly ((site: Site) => Promise<void>)[] = [
  (site) => crashRedis(site, true),
  (site) => crashRedis(site, false),
  freezeRedis,
  ...clockNames.map((name) => (site: Site) => setClock(site, name)),
]

export async function runDisturbances(site: Site): Promise<void> {
  const { random, pace, record } = site
  for (let n = 1; !pace.isOver && Date.now() < site.endsAt - 40_000; n++) {
    await sleep(2000 + random(5000))
    const [one] = n % 40 === 8 ? [openBreaker] : disturbances.slice(random(disturbances.length))
    await one?.(site).catch((error: unknown) => record.fail(`a disturbance failed: ${String(error)}`))
  }
}

/** Cuts connections between proxy and gate. */
export async function runCuts({ plant, excuses, random, pace, record }: Site): Promise<void> {
  while (!pace.isOver) {
    await sleep(1000 + random(5000))
    const which = random(5) === 0 ? 'all' : 'one'
    excuses.open(
      'connection cut',
      ({ lane, refusal }) => lane.way === 'proxied' && ['502', '503', 'cut'].includes(refusal),
      Date.now() + slack,
    )
    const cut = plant.relay.cut(which, random)
    record.note(`${cut} connections cut`)
    add(record.disturbances, 'connections cut between proxy and gate', cut)
  }
}
