import type { CellRun } from './cell-run.js'
import type { Attempt } from './exchange.js'

/**
 * Repeats what was refused before a success: on its connection, one after another, and on others. Where the success came
 * with cookies, they are sent back without any credentials.
 */
export async function repeatAfterSuccess(run: CellRun, attempts: readonly Attempt[]): Promise<void> {
  const onItsConnection = async (): Promise<void> => {
    for (const attempt of attempts) await run.try('again', attempt, 'of-valid-calls')
  }
  await Promise.all([onItsConnection(), run.tryAll('again', [...attempts, ...withCookies(run)])])
}

function withCookies({ valid }: CellRun): Attempt[] {
  const cookies = valid?.cookies ?? []
  if (cookies.length === 0) return []
  const fields = [['Cookie', cookies.join('; ')]] as const
  return [
    {
      check: 'auth.after-valid',
      label: 'the cookies of a success alone',
      operation: 'get',
      fields,
      again: true,
    },
  ]
}
