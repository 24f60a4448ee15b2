/** What the pages of docs/server take from `./agent.js`. */
import { cardJson, RecordingExecutor } from './guarded-agent.js'

export const card = cardJson('http://127.0.0.1:1')
export const executor = new RecordingExecutor()

/** An issuer's introspection (RFC 7662), which knows one token. */
export const introspect = (token: string): Promise<{ active: boolean; client_id?: string; scope?: string }> =>
  Promise.resolve(
    token === 'opaque-of-alice' ? { active: true, client_id: 'alice', scope: 'tasks' } : { active: false },
  )
