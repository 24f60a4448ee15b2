/** What the pages of docs/server take from `./agent.js`. */
import { cardJson, RecordingExecutor } from './guarded-agent.js'

export const card = cardJson('http://127.0.0.1:1')
export const executor = new RecordingExecutor()
