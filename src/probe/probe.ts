import { performance } from 'node:perf_hooks'
import { requireHosts } from '../core/card/hosts.js'
import { TOTPError } from '../core/errors.js'
import { asText } from '../core/json.js'
import { printable } from '../core/text.js'
import { diagnose } from './checks/diagnosis.js'
import { ignoring } from './checks/ignoring.js'
import { judge, type Judgement } from './checks/judgement.js'
import { planOf } from './checks/plan.js'
import { selectChecks } from './checks/selection.js'
import { narrowedBy } from './narrowed.js'
import { parseTarget, type ProbeOptions } from './options.js'
import { isFailing, summarise, type CheckResult, type ProbeReport } from './report/report.js'
import type { Evidence } from './run/evidence.js'
import { gather } from './run/gather.js'
import { parseCardKeys } from './target/card-keys.js'
import { isAnswer } from './wire/answer.js'
import { isUnread } from './wire/raw-answer.js'

/**
 * Tests whether a live agent enforces bearer plus TOTP. It asks for a task by a random id and so changes nothing,
 * unless `send` is given. Credentials are sent only to the host of `url` or `trustedUrl`, or to an allowed one.
 *
 * Whatever the agent does is reported: it never throws for that.
 *
 * @throws {TOTPError} `ERR_USAGE` for a URL that cannot be probed, for ids of checks that do not exist, for `cardKeys`
 *   without a key, and for `isolation` without the credentials of a second peer.
 */
export async function probe(options: ProbeOptions): Promise<ProbeReport> {
  const target = parseTarget(options.url)
  const { only, skip, throttle, windowScan, isolation, credentials, now, strict = false } = options
  const selection = selectChecks(only, skip, [
    ...(throttle ? (['throttle'] as const) : []),
    ...(windowScan ? (['window'] as const) : []),
    ...(isolation ? (['isolation'] as const) : []),
  ])
  requireHosts(options.allowHosts ?? [])
  if (options.cardKeys !== undefined) parseCardKeys(options.cardKeys)
  if (selection.performed.has('isolation') && options.otherPeer?.token === undefined) {
    throw new TOTPError('ERR_USAGE', 'isolation needs the token and the seed of a second peer')
  }
  const startedAt = now()
  const begun = performance.now()
  const evidence = await gather(options, target, planOf(selection.performed))
  const { discovery, secrets, guessesSpent, requests } = evidence
  const clean = (text: string, limit?: number): string => secrets.clean(text, now(), limit)
  const without = (text: string): string => secrets.without(text, now())
  const judgements = ignoring(judge(evidence, selection), evidence, selection)
  const checks = judgements.map((judgement) => resultOf(judgement, { clean, without }))
  const diagnosis = diagnose(evidence, judgements)
  const name = printable(credentials.agent ?? '') || clean(asText(discovery.cards[0]?.['name']))
  return {
    version: 1,
    target: printable(options.url),
    agent: name === '' ? null : name,
    startedAt: startedAt.toISOString(),
    durationMs: Math.round(performance.now() - begun),
    ok: !checks.some((check) => isFailing(check, { strict })),
    strict,
    reachable: isReachable(evidence),
    narrowed: narrowedBy(options),
    ...(diagnosis && {
      diagnosis: clean(diagnosis.sentence, longestDetail),
      explain: diagnosis.explain,
    }),
    guessesSpent,
    requests,
    summary: summarise(checks),
    checks,
  }
}

/** A refused TLS handshake counts as an answer, and so does one of HTTP that cannot be read. */
function isReachable({ exchanges, silence }: Evidence): boolean {
  if (!silence) return exchanges.some(({ answer }) => isAnswer(answer))
  return silence.reason === 'tls' || isUnread(silence)
}

/** A detail names each gap of a run. What it quotes of the agent is cut part by part. */
const longestDetail = 8000

function resultOf(
  { check, cell, verdict }: Judgement,
  { clean, without }: { clean: (text: string, limit?: number) => string; without: (text: string) => string },
): CheckResult {
  const { status, actual, detail, durationMs = 0, ignored } = verdict
  return {
    id: check.id,
    binding: cell?.binding ?? null,
    protocolVersion: cell?.protocol ?? null,
    // A card that was asked for with credentials may have them in its URLs.
    url: cell === null ? null : without(cell.url.href),
    ...(cell?.tenant !== undefined && { tenant: clean(cell.tenant) }),
    status,
    expected: check.expects,
    actual: clean(actual),
    detail: clean(detail, longestDetail),
    durationMs: Math.round(durationMs),
    ...(ignored && { ignored }),
  }
}
