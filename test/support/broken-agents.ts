import { answerDefects } from './broken/answers.js'
import { cardDefects } from './broken/cards.js'
import { clockDefects } from './broken/clocks.js'
import { doorDefects } from './broken/doors.js'
import { factorDefects } from './broken/factors.js'
import { memoryDefects } from './broken/memory.js'
import { proxyDefects } from './broken/proxies.js'
import { streamDefects } from './broken/streams.js'
import { throttlingDefects } from './broken/throttling.js'
import type { Circumstances, Defect } from './broken/defect.js'

export { ofCells, telling, type Circumstances, type Defect } from './broken/defect.js'

/** Agents with one defect each. Where one defect shows in several ways, all of them are listed. */
export const defects = (circumstances: Circumstances): Defect[] => [
  ...factorDefects(circumstances),
  ...memoryDefects(circumstances),
  ...streamDefects(circumstances),
  ...doorDefects(circumstances),
  ...answerDefects(circumstances),
  ...throttlingDefects(circumstances),
  ...clockDefects,
  ...proxyDefects(circumstances),
  ...cardDefects,
]
