import type { CellCheck } from './check.js'
import { judgeRefused } from './shared/refused.js'
import { oneGuard, pythonGuards, userBuilders } from './shared/advice.js'

export const authNone: CellCheck = {
  id: 'auth.none',
  scope: 'cell',
  proves: 'a call without credentials is refused',
  expects: 'refused',
  attempts: () => [{ label: 'no credentials', fields: [], again: true }],
  judge: (cell) => judgeRefused('auth.none', cell),
  means: 'A caller without any credentials was let in: the agent, or at least this interface, is open.',
  fix: [oneGuard, pythonGuards, userBuilders],
}
