import { isSuccess, type CellRun } from './cell-run.js'
import { failed, type CheckResult, type Verdict } from './report.js'

/** What is wrong with a run that shows too little to be believed; undefined when it shows enough. */
export function judgeWhole(ofCells: readonly CheckResult[], runs: readonly CellRun[]): Verdict | undefined {
  if (ofCells.every(({ status }) => status === 'skip')) {
    return failed(
      'no cell was tested',
      'nothing could be tested: name the endpoint itself as URL, with --binding and --protocol; ' +
        'or --allow-host, where the card names another host',
    )
  }
  const answers = runs.flatMap((run) => run.answers)
  if (answers.every(({ kind }) => kind === 'throttled')) {
    return failed(
      'no cell was tested',
      'everything was answered with 429, which shows nothing: try again later',
    )
  }
  const letIn = runs.some((run) => run.valid !== undefined && isSuccess(run.valid, run))
  const strangers = runs.filter(({ stranger }) => stranger?.kind === 'throttled')
  if (letIn || strangers[0] === undefined) return undefined
  return failed(
    strangers[0].valid?.summary ?? '',
    'right credentials were let in nowhere, and unknown tokens are throttled as well: the token is likely unknown ' +
      'to the agent, or the agent counts requests that are no wrong codes; check the token, and try again in a minute',
  )
}
