import type { RunCheck } from './check.js'
import type { Evidence } from '../run/evidence.js'
import { isAnswer } from '../wire/answer.js'
import { isUnread, type NoAnswer } from '../wire/raw-answer.js'
import { proxiesFor } from '../wire/proxy.js'
import { failed, passed, type Verdict } from './verdict.js'

export const reach: RunCheck = {
  id: 'reach',
  scope: 'run',
  proves: 'the agent answers',
  expects: 'an answer',
  withoutCalls: true,
  judge: judgeReach,
  judgeSilence,
  means: 'Nothing answered at the URL, so nothing was tested. The command exits with code 4.',
  fix: [
    'Check that the agent is running, and that it listens on the address you named, not only on 127.0.0.1 of its container.',
    'If the agent can be reached only through a proxy, set `HTTPS_PROXY`, or pass `--proxy URL`; `NO_PROXY` lists the hosts that are reached without it.',
    'An agent that speaks HTTP/2 only cannot be probed except over gRPC: the card, JSON-RPC and REST are read over HTTP/1.1.',
    'Behind a reverse proxy, use the public URL. In CI, wait until the card is served before you probe.',
  ],
}

function judgeReach(evidence: Evidence): Verdict {
  const verdict = judgeAnswers(evidence)
  const { options, target, cells } = evidence
  const proxies = proxiesFor([target, ...cells.map(({ cell }) => cell.url)], options.proxy)
  const remark = proxies.length === 0 ? '' : `through the proxy ${proxies.join(' and ')}`
  return { ...verdict, detail: [verdict.detail, remark].filter((text) => text !== '').join(' ') }
}

function judgeAnswers({ exchanges, discovery }: Evidence): Verdict {
  const page = exchanges.find(({ stage, answer }) => stage === 'card' && isAnswer(answer))
  if (page) return passed(`HTTP ${page.answer.status ?? 0}`)
  const other = exchanges.find(({ answer }) => isAnswer(answer))
  return other ? passed(other.answer.summary) : judgeSilence(discovery.silence)
}

/** A TLS handshake that fails counts as an answer. So does one of HTTP, except where it says that HTTP/1.1 is not spoken. */
function judgeSilence(silence: NoAnswer | undefined): Verdict {
  if (silence?.reason === 'tls')
    return passed(silence.begun === true ? silence.explanation : 'an answer to the TLS handshake')
  if (silence && isUnread(silence) && silence.hint === undefined) return passed(silence.explanation)
  const grpc = silence?.reason === 'broken' ? ' An endpoint with gRPC alone needs --binding grpc.' : ''
  return failed(
    silence?.explanation ?? 'no answer',
    silence?.hint ?? `check that the URL is right and the agent is running.${grpc}`,
  )
}
