import { performance } from 'node:perf_hooks'
import { setTimeout as realSleep } from 'node:timers/promises'
import { asText } from '../../core/json.js'
import { printable } from '../../core/text.js'
import { selectChecks, type CheckId } from '../checks/catalogue.js'
import { isAnswer } from '../wire/answer.js'
import { cellsOf } from '../target/cells.js'
import { notShown } from '../checks/coverage.js'
import { discover, type Discovery } from '../target/discovery.js'
import { HttpClient } from '../wire/http.js'
import { cellChecks, judgeCell, judgeRun, judgeSilence, runChecks, type Evidence } from '../checks/judges.js'
import { parseTarget, type ProbeOptions } from '../options.js'
import type { NoAnswer } from '../wire/raw-answer.js'
import {
  failed,
  isFailing,
  summarise,
  toResult,
  type CheckResult,
  type ProbeReport,
} from '../report/report.js'
import { Secrets } from './secrets.js'
import { perform } from './perform.js'
import { ThrottleWait } from './throttle-wait.js'

/**
 * Tests whether a live agent enforces bearer plus TOTP. It asks for a task by a random id and so changes nothing,
 * unless `send` is given. Credentials go only to the host of `url` or `trustedUrl`, or to one that is allowed.
 *
 * Whatever the agent does ends in the report: it never throws for that.
 *
 * @throws {TOTPError} `ERR_USAGE` for a URL that cannot be probed and for ids of checks that do not exist.
 */
export async function probe(options: ProbeOptions): Promise<ProbeReport> {
  const target = parseTarget(options.url)
  const { reported, performed } = selectChecks(options.only, options.skip, [
    ...(options.throttle ? (['throttle'] as const) : []),
    ...(options.windowScan ? (['window'] as const) : []),
  ])
  const { timeoutMs, ca, now, strict = false } = options
  const startedAt = now()
  const begun = performance.now()
  const client = new HttpClient({ timeoutMs, now, ...(ca === undefined ? {} : { ca }) })
  const secrets = new Secrets(options)
  const clean = (text: string): string => secrets.clean(text, now())
  try {
    const discovery = await discover(client, target)
    const outcome =
      discovery.silence && !mayBeGrpcOnly(discovery.silence, options)
        ? silentOutcome(discovery, reported, performed, clean)
        : await test(discovery, { options, target, client, secrets, reported, performed, clean })
    const summary = summarise(outcome.results)
    const name = printable(options.credentials.agent ?? '') || clean(asText(discovery.cards[0]?.['name']))
    return {
      version: 1,
      target: printable(options.url),
      agent: name === '' ? null : name,
      startedAt: startedAt.toISOString(),
      durationMs: Math.round(performance.now() - begun),
      ok: !outcome.results.some((result) => isFailing(result, { strict })),
      strict,
      reachable: outcome.reachable,
      guessesSpent: outcome.guessesSpent,
      requests: client.requests,
      summary,
      checks: outcome.results,
    }
  } finally {
    client.close()
  }
}

interface Outcome {
  readonly results: CheckResult[]
  readonly guessesSpent: number
  /** Whether the agent answered at all. */
  readonly reachable: boolean
}

interface Run {
  readonly options: ProbeOptions
  readonly target: URL
  readonly client: HttpClient
  readonly secrets: Secrets
  readonly reported: ReadonlySet<CheckId>
  readonly performed: ReadonlySet<CheckId>
  readonly clean: (text: string) => string
}

async function test(
  discovery: Discovery,
  { options, target, client, secrets, reported, performed, clean }: Run,
): Promise<Outcome> {
  const cells = cellsOf(discovery.interfaces, target, options)
  const sleep = options.sleep ?? (async (ms: number) => realSleep(ms))
  const announce = options.announce ?? (() => undefined)
  const throttleWait = new ThrottleWait({ sleep, announce })
  const session = { options, client, secrets, performed, sleep, announce, throttleWait }
  const sent = await perform(session, cells, discovery.cards)
  const evidence: Evidence = { options, target, discovery, cells, secrets, ...sent }
  const ofRun = runChecks
    .filter((id) => reported.has(id))
    .map((id) => toResult(id, null, judgeRun(id, evidence), clean))
  const ids = cellChecks.filter((id) => reported.has(id))
  const ofCells = sent.runs.flatMap((run) =>
    ids.map((id) => toResult(id, run.cell, judgeCell(id, run, evidence), clean)),
  )
  const results = [...ofRun, ...ofCells]
  // Where nobody was let in, a refusal proves nothing: said also where neither check was asked for.
  const unshown = performed.has('auth.valid') ? notShown(sent.runs) : []
  if (unshown.length > 0 && !reported.has('coverage'))
    results.push(toResult('coverage', null, judgeRun('coverage', evidence), clean))
  const reachable = discovery.answers.length > 0 || sent.runs.some(({ answers }) => answers.some(isAnswer))
  return { results, guessesSpent: sent.guessesSpent, reachable }
}

/** A server that has nothing but gRPC speaks no HTTP/1.1, so it cannot even say that it has no card. */
function mayBeGrpcOnly({ reason }: NoAnswer, { binding }: ProbeOptions): boolean {
  return reason === 'broken' && binding === 'grpc'
}

function silentOutcome(
  discovery: Discovery,
  reported: ReadonlySet<CheckId>,
  performed: ReadonlySet<CheckId>,
  clean: (text: string) => string,
): Outcome {
  const results = [...runChecks, ...cellChecks]
    .filter((id) => reported.has(id))
    .map((id) => toResult(id, null, judgeSilence(id, discovery), clean))
  if (performed.has('auth.valid') && !results.some(({ status }) => status === 'fail')) {
    const { explanation = 'no answer' } = discovery.silence ?? {}
    results.push(toResult('coverage', null, failed('no interface was tested', explanation), clean))
  }
  return { results, guessesSpent: 0, reachable: discovery.silence?.reason === 'tls' }
}
