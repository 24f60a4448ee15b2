import type { ProbeOptions } from '../options.js'
import { cellsOf } from '../target/cells.js'
import { discover, type Discovery } from '../target/discovery.js'
import { isAnswer } from '../wire/answer.js'
import { HttpClient } from '../wire/http.js'
import type { NoAnswer } from '../wire/raw-answer.js'
import { awaitAgent } from './await-agent.js'
import { cardCredentials } from './card-credentials.js'
import { CellRun } from './cell-run.js'
import { cutShort } from './cut-short.js'
import { Deadline } from './deadline.js'
import type { Evidence } from './evidence.js'
import { Exchanges } from './exchange.js'
import { Pace } from './pace.js'
import type { Plan } from './plan.js'
import { plannedRequests } from './planned.js'
import { Progress } from './progress.js'
import { Proofs } from './proofs.js'
import { Secrets } from './secrets.js'
import { sendAll } from './sequence.js'
import { ThrottleWait } from './throttle-wait.js'
import { ValidCodes } from './valid-codes.js'
import { inTime, waitsOf } from './waits.js'

/**
 * Sends the requests of the plan to every interface of the agent, and returns what it saw. It judges nothing. When the
 * deadline passes it returns what it saw until then.
 */
export async function gather(options: ProbeOptions, target: URL, plan: Plan): Promise<Evidence> {
  const { timeoutMs, ca, clientCertificate, proxy, now, random, credentials } = options
  const clients: HttpClient[] = []
  const connect = (longestMs: number): HttpClient => {
    const made = new HttpClient({ timeoutMs: longestMs, now, ca, clientCertificate, proxy })
    clients.push(made)
    return made
  }
  const deadline = new Deadline(options.deadlineMs)
  const client = connect(timeoutMs)
  const secrets = new Secrets(options)
  const progress = new Progress(options)
  const announce = options.announce ?? (() => undefined)
  const { sleep, pause } = waitsOf(options, deadline, progress)
  const throttleWait = new ThrottleWait({ sleep, announce, fits: (ms) => deadline.fits(ms) })
  const pace = new Pace({
    token: credentials.token.value,
    rate: options.rate,
    pause,
    wait: (answer) => throttleWait.for(answer),
    announce,
  })
  const exchanges = new Exchanges({
    now,
    pace,
    remember: (value) => secrets.remember(value),
    // Who signs has the seed, so beside a proof a wrong code is no guess.
    guessed: (code) => {
      if (!proofs.requires) spent.add(code)
    },
    answered: () => progress.answered(),
  })
  const proofs = new Proofs(options)
  const allSigned = (): boolean => proofs.requires
  const codes = new ValidCodes({ credentials, now, sleep, announce, allSigned })
  const spent = new Set<string>()
  const seen = (some: Pick<Evidence, 'discovery' | 'silence' | 'cells' | 'whyNotSent'>): Evidence => ({
    ...{ options, target, exchanges: exchanges.all, secrets, proofs },
    remarks: pace.remark === undefined ? [] : [pace.remark],
    ...some,
    guessesSpent: spent.size,
    requests: clients.reduce((sum, { requests }) => sum + requests, 0),
  })
  const look = async (): Promise<Discovery> => {
    await awaitAgent(options, target, { connect, sleep, announce })
    return discover(exchanges.cardClient(client), target, cardCredentials(options, target, { codes, proofs }))
  }
  try {
    const discovery = (await inTime(deadline, look())) ?? undiscovered(deadline, exchanges.all)
    const silence =
      discovery.silence && !mayServeWithoutCard(discovery.silence, options) ? discovery.silence : undefined
    proofs.learnFromCards(discovery.cards)
    const cells = silence ? [] : cellsOf(discovery.interfaces, target, options)
    const runs = cells.map((cell) => new CellRun(cell, { client, exchanges, random, proofs }))
    const asked = options.noGuesses === undefined ? plan : { ...plan, guesses: () => [] }
    progress.plan(exchanges.all.length + plannedRequests(asked, cells, options, proofs))
    const session = { options, plan: asked, codes, proofs, spent, sleep, announce, throttleWait, pace }
    const sent = silence ? {} : await inTime(deadline, sendAll(session, runs, discovery.cards))
    if (!sent) for (const run of runs) cutShort(run, asked, { options, proofs }, deadline)
    return seen({ discovery, silence, cells: runs, whyNotSent: sent ?? {} })
  } finally {
    exchanges.close()
    deadline.end()
    client.close()
  }
}

/** What is known of an agent whose card did not come in time. */
function undiscovered(deadline: Deadline, exchanges: Evidence['exchanges']): Discovery {
  const explanation = `no card before ${deadline.text}`
  const durationMs = exchanges.reduce((sum, { answer }) => sum + answer.durationMs, 0)
  const silence: NoAnswer = { answered: false, reason: 'timeout', explanation, durationMs }
  const isSilent = !exchanges.some(({ answer }) => isAnswer(answer))
  return {
    cards: [],
    interfaces: [],
    problem: explanation,
    remarks: [],
    durationMs,
    ...(isSilent && { silence }),
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
