import type { CellRun } from './cell-run.js'
import type { Attempt } from './exchange.js'
import { besideCookies } from './success-labels.js'

/**
 * Repeats what was refused before a success: on its connection, one after another, and on others, there also with the
 * cookies of the success.
 */
export async function repeatAfterSuccess(run: CellRun, attempts: readonly Attempt[]): Promise<void> {
  const onItsConnection = async (): Promise<void> => {
    for (const attempt of attempts) await run.try('again', attempt, 'of-valid-calls')
  }
  await Promise.all([onItsConnection(), run.tryAll('again', [...attempts, ...withCookies(run, attempts)])])
}

/** The same attempts with the cookies that the success of a cell came with; none where it came without. */
export function withCookies({ valid }: CellRun, attempts: readonly Attempt[]): Attempt[] {
  const cookies = valid?.cookies ?? []
  if (cookies.length === 0) return []
  return attempts.map((attempt) => ({
    ...attempt,
    check: 'auth.after-valid',
    label: besideCookies(attempt.label),
    fields: [...attempt.fields, ['Cookie', cookies.join('; ')]],
    again: true,
  }))
}
