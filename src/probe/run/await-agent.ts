import { cardUrls } from '../target/card-paths.js'
import type { ProbeOptions } from '../options.js'
import type { HttpClient } from '../wire/http.js'
import type { RawAnswer } from '../wire/raw-answer.js'

/** Between two attempts, in milliseconds: often at first, since most agents start within seconds. */
const firstPauseMs = 250
const longestPauseMs = 1000

/** What a proxy answers for an agent that is not there yet. */
const notThereYet = new Set([502, 503, 504])

interface Tools {
  /** A client whose requests may take so long. */
  readonly connect: (timeoutMs: number) => HttpClient
  readonly sleep: (ms: number) => Promise<void>
  readonly announce: (text: string) => void
}

/**
 * Waits until something answers at the URL: the card, or anything that is not a proxy's word for an agent that is not
 * there. It gives up after `waitMs`; the run that follows reports what it finds.
 */
export async function awaitAgent(options: ProbeOptions, target: URL, tools: Tools): Promise<void> {
  const { waitMs = 0, now } = options
  const until = now().getTime() + waitMs
  const leftMs = (): number => until - now().getTime()
  let said = ''
  for (let pauseMs = firstPauseMs; leftMs() > 0; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    const why = whyNotReady(await ask(options, target, leftMs(), tools), options)
    if (why === undefined || leftMs() <= 0) return
    if (why !== said) tools.announce(`waiting up to ${Math.ceil(leftMs() / 1000)} s for the agent: ${why}`)
    said = why
    await tools.sleep(Math.min(pauseMs, leftMs()))
  }
}

async function ask(
  { timeoutMs }: ProbeOptions,
  target: URL,
  leftMs: number,
  { connect }: Tools,
): Promise<RawAnswer> {
  const client = connect(Math.min(timeoutMs, leftMs))
  const [url = target] = cardUrls(target)
  try {
    const fields = [['Accept', 'application/json']] as const
    return await client.exchange(client.connection(url), {
      method: 'GET',
      url,
      fields,
      mostBytes: 1024 * 1024,
    })
  } finally {
    client.close()
  }
}

function whyNotReady(answer: RawAnswer, { binding }: ProbeOptions): string | undefined {
  if (answer.answered) return notThereYet.has(answer.status) ? `HTTP ${answer.status}` : undefined
  // A certificate that is not trusted is an answer, and an endpoint with gRPC alone ends every HTTP/1.1 request.
  const isThere = answer.reason === 'tls' || (answer.reason === 'broken' && binding === 'grpc')
  return isThere ? undefined : answer.explanation
}
