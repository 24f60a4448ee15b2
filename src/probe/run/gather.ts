import { setTimeout as realSleep } from 'node:timers/promises'
import type { ProbeOptions } from '../options.js'
import { cellsOf } from '../target/cells.js'
import { discover } from '../target/discovery.js'
import { HttpClient } from '../wire/http.js'
import type { NoAnswer } from '../wire/raw-answer.js'
import { awaitAgent } from './await-agent.js'
import { cardCredentials } from './card-credentials.js'
import { CellRun } from './cell-run.js'
import type { Evidence } from './evidence.js'
import { Exchanges } from './exchange.js'
import type { Plan } from './plan.js'
import { plannedRequests } from './planned.js'
import { Progress } from './progress.js'
import { Secrets } from './secrets.js'
import { sendAll } from './sequence.js'
import { ThrottleWait } from './throttle-wait.js'
import { ValidCodes } from './valid-codes.js'

/** Sends the requests of the plan to every interface of the agent, and returns what it saw. It judges nothing. */
export async function gather(options: ProbeOptions, target: URL, plan: Plan): Promise<Evidence> {
  const { timeoutMs, ca, clientCertificate, proxy, now, random, credentials } = options
  const connect = (longestMs: number): HttpClient =>
    new HttpClient({ timeoutMs: longestMs, now, ca, clientCertificate, proxy })
  const inTime = options.sleep ?? (async (ms: number) => realSleep(ms))
  const progress = new Progress(options)
  const sleep = (ms: number, what?: string): Promise<void> => progress.during(ms, what, inTime)
  const announce = options.announce ?? (() => undefined)
  await awaitAgent(options, target, { connect, sleep, announce })
  const client = connect(timeoutMs)
  const secrets = new Secrets(options)
  const exchanges = new Exchanges({
    now,
    remember: (value) => secrets.remember(value),
    answered: () => progress.answered(),
  })
  try {
    const codes = new ValidCodes({ credentials, now, sleep, announce })
    const asking = cardCredentials(options, target, codes)
    const discovery = await discover(exchanges.cardClient(client), target, asking)
    const silence =
      discovery.silence && !mayServeWithoutCard(discovery.silence, options) ? discovery.silence : undefined
    const cells = silence ? [] : cellsOf(discovery.interfaces, target, options)
    const runs = cells.map((cell) => new CellRun(cell, { client, exchanges, random }))
    progress.plan(exchanges.all.length + plannedRequests(plan, cells, options))
    const throttleWait = new ThrottleWait({ sleep, announce })
    const spent = new Set<string>()
    const session = { options, plan, codes, spent, sleep, announce, throttleWait }
    const whyNotSent = silence ? {} : await sendAll(session, runs, discovery.cards)
    const seen = { discovery, silence, cells: runs, exchanges: exchanges.all, whyNotSent, secrets }
    return { options, target, ...seen, guessesSpent: spent.size, requests: client.requests }
  } finally {
    client.close()
  }
}

/**
 * Whether an endpoint may answer although the card did not. A server with gRPC alone does not speak HTTP/1.1, so it cannot
 * even answer that it has no card.
 */
function mayServeWithoutCard({ reason }: NoAnswer, { binding, protocol }: ProbeOptions): boolean {
  if (reason === 'broken' && binding === 'grpc') return true
  return reason === 'timeout' && binding !== 'auto' && protocol !== 'auto'
}
