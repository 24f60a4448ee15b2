import { AgentCard } from '@a2a-js/sdk'
import { DefaultRequestHandler, InMemoryTaskStore } from '@a2a-js/sdk/server'
import { agentCardHandler, jsonRpcHandler, restHandler, UserBuilder } from '@a2a-js/sdk/server/express'
import express, { type RequestHandler } from 'express'
import { defaultProfile } from '../../src/core/profile.js'
import { verifyCode } from '../../src/core/totp.js'
import { seed, token, type FakeClock } from './client-scheme.js'
import { listen } from './recording-server.js'
import { bothVersionsAt, saysHello } from './agent-servers.js'

/** What came to the guard: the path, the code, and whether both factors were right. */
export interface Visit {
  readonly path: string
  readonly code: string | undefined
  readonly passed: boolean
}

export interface SdkAgent extends AsyncDisposable {
  readonly origin: string
  readonly visits: Visit[]
}

interface SdkAgentOptions {
  /** Time steps accepted on either side. */
  readonly window?: number
  /** Called with each request before the guard looks at the clock: time can pass here. */
  readonly onVisit?: () => void
}

const legacyCompat = { enabled: true }

/**
 * A real agent on @a2a-js/sdk 1.3, for protocol 1.0 and 0.3, with a guard of a few lines in front of everything,
 * the card included: clients are tried against it, not our server.
 */
export async function sdkAgent(
  clock: FakeClock,
  { window = 1, onVisit }: SdkAgentOptions = {},
): Promise<SdkAgent> {
  const visits: Visit[] = []
  const guard: RequestHandler = (request, response, next) => {
    onVisit?.()
    const code = request.get('x-totp')
    const verification = verifyCode(seed, { ...defaultProfile, window }, code ?? '', clock.at)
    const passed = verification.valid && request.get('authorization') === `Bearer ${token}`
    visits.push({ path: request.path, code, passed })
    if (passed) next()
    else response.status(401).json({ error: { code: 401, status: 'UNAUTHENTICATED', message: 'refused' } })
  }

  const app = express()
  const server = await listen(app as Parameters<typeof listen>[0])
  const card = AgentCard.fromJSON(bothVersionsAt(server.origin))
  const requestHandler = new DefaultRequestHandler(card, new InMemoryTaskStore(), saysHello)
  const common = { requestHandler, userBuilder: UserBuilder.noAuthentication, legacyCompat }
  app.use(guard)
  app.use(
    '/.well-known/agent-card.json',
    agentCardHandler({ agentCardProvider: requestHandler, legacyCompat }),
  )
  app.use('/jsonrpc', jsonRpcHandler(common))
  app.use('/rest', restHandler(common))
  return { ...server, visits }
}
