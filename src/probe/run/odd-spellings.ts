import type { FieldLine } from '../wire/raw-answer.js'
import type { CellRun } from './cell-run.js'
import type { Session } from './session.js'
import { saysUsed } from './used-code.js'
import { validCall } from './valid-call.js'
import type { ValidCodes } from './valid-codes.js'

/** Scheme and header names are case-insensitive (RFC 9110 §5.1, §11.1), so these calls are correct too. */
export async function callSpelledOddly(session: Session, run: CellRun, codes: ValidCodes): Promise<void> {
  const { token, header } = session.options.credentials
  const lower = header.toLowerCase()
  const otherCase = lower === header ? header.toUpperCase() : lower
  const spellings: [string, (code: string) => FieldLine[]][] = [
    [
      '"bearer" in small letters',
      (code) => [
        ['Authorization', `bearer ${token.value}`],
        [header, code],
      ],
    ],
    [
      `"${otherCase}"`,
      (code) => [
        ['authorization', `Bearer ${token.value}`],
        [otherCase, code],
      ],
    ],
  ]
  for (const [label, fields] of spellings) {
    const attempt = validCall(label, fields(await codes.next()))
    const answer = await run.send('spelling', attempt, 'of-valid-calls')
    if (saysUsed(answer, run)) {
      codes.learnOnce()
      return
    }
  }
}
