import { checkIds, type CheckId } from '../check-ids.js'
import type { Attempt } from '../run/exchange.js'
import { bearerField } from '../run/material.js'
import type { Plan } from '../run/plan.js'
import type { Ask, Check } from './check.js'
import { checks } from './index.js'

/** What the checks that are performed ask a run to send. */
export function planOf(performed: ReadonlySet<CheckId>): Plan {
  const made = checkIds.filter((id) => performed.has(id)).map((id) => checks[id])
  const inOrder = [...made].sort((one, other) => Number(one.late ?? false) - Number(other.late ?? false))
  return {
    performed,
    hasLate: made.some(({ late }) => late),
    freeRefusals: (stage, material) =>
      inOrder
        .flatMap((check) =>
          (check.attempts?.(material) ?? [])
            .filter(({ again }) => (check.late === true && again !== true) === (stage === 'late'))
            .map((ask) => attemptOf(check, ask)),
        )
        // An opened stream may stay silent until it times out, so streams come last.
        .sort(
          (one, other) => Number(one.operation === 'subscribe') - Number(other.operation === 'subscribe'),
        ),
    guesses: ({ token, header }, codes) =>
      made.flatMap((check) =>
        (check.guesses?.(codes) ?? []).flatMap(({ label, code, operation, with: other = check.id }) =>
          code === undefined || !performed.has(other)
            ? []
            : [
                {
                  ...attemptOf(check, { label, operation, fields: [bearerField(token), [header, code]] }),
                  guess: code,
                },
              ],
        ),
      ),
    hypotheses: (situation) =>
      made.flatMap((check) =>
        (check.hypotheses?.(situation) ?? []).map(({ shows, ...ask }) => ({
          ...attemptOf(check, ask),
          shows,
        })),
      ),
  }
}

function attemptOf({ id }: Check, { label, fields, operation = 'get', again, signing }: Ask): Attempt {
  return { check: id, label, operation, fields, again, ...(signing && { signing }) }
}
