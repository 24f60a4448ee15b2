import type { CellRun } from './cell-run.js'
import type { Attempt } from './exchange.js'

/** Repeats what was refused before a success: on its connection, one after another, and on others. */
export async function repeatAfterSuccess(run: CellRun, attempts: readonly Attempt[]): Promise<void> {
  const onItsConnection = async (): Promise<void> => {
    for (const attempt of attempts) await run.try('again', attempt, 'of-valid-calls')
  }
  await Promise.all([onItsConnection(), run.tryAll('again', attempts)])
}
