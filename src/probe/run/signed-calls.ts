import type { CellRun } from './cell-run.js'
import type { Attempt } from './exchange.js'
import { credentialFields } from './material.js'
import type { FixedProof } from './proof-knowledge.js'
import { isSuccess } from './reading.js'
import type { Session } from './session.js'
import type { ValidCodes } from './valid-codes.js'

/** A signed request that was let in, with all that it takes to send it again. */
export interface SignedCall extends Attempt {
  readonly taskId: string
  readonly signing: { readonly fixed: FixedProof }
}

/**
 * Calls a cell with right credentials and a proof: with a code that may be spent where proofs are accepted, else with one
 * of its own.
 *
 * @returns undefined if it was not let in
 */
export async function callSigned(
  { options, proofs }: Session,
  run: CellRun,
  codes: ValidCodes,
  stage: 'valid' | 'signed',
): Promise<SignedCall | undefined> {
  const code = proofs.matter ? codes.shared() : await codes.next()
  const call: SignedCall = {
    check: 'signed.valid',
    label: 'a signed request',
    operation: 'get',
    fields: credentialFields(options.credentials, code),
    taskId: run.nextTaskId(),
    signing: { fixed: proofs.fixed() },
  }
  const answer = await run.send(stage, call, 'of-valid-calls')
  return isSuccess(answer, run) ? call : undefined
}

/**
 * Sends what a thief would make of a signed request that was let in: the same once more, and its token and code without
 * the proof, for the same task and for another one. None of them is a guess: the code is right.
 */
export async function misuseSigned({ plan, proofs }: Session, run: CellRun, call: SignedCall): Promise<void> {
  if (!proofs.matter) return
  const { performed } = plan
  // One after another: the first of two equal requests is the one that was let in before.
  if (performed.has('signed.replay')) {
    const again = { ...call, check: 'signed.replay', label: 'the same signed request again' } as const
    await run.try('signed-again', again, 'beside')
  }
  if (performed.has('signed.stripped')) {
    const { fields, taskId } = call
    const stripped = { check: 'signed.stripped', operation: 'get', fields, signing: 'none' } as const
    const same = { ...stripped, label: 'a signed request without its proof', taskId }
    await run.try('signed-again', same, 'beside')
    await run.try('signed-again', { ...stripped, label: 'its code on another request' }, 'beside')
  }
}
