import { keyHeadersOf } from '../../../core/card/schemes.js'
import type { CardJson } from '../../../core/card/shapes.js'
import type { Answer } from '../../wire/answer.js'

/** The header for the code that the agent's challenge or card names, if it is not the one used. */
export function otherHeaderOf(
  answer: Answer,
  cards: readonly CardJson[],
  header: string,
): string | undefined {
  // The code that refuses a call knows better than the card which header it reads.
  const challenged = challengedHeaders(answer)
  const named = challenged.length > 0 ? challenged : cards.flatMap(keyHeadersOf)
  const isOurs = (name: string): boolean => name.toLowerCase() === header.toLowerCase()
  return named.some(isOurs) ? undefined : named[0]
}

/** The header that a `TOTP` challenge names. */
function challengedHeaders({ challenges }: Answer): string[] {
  return challenges.flatMap(
    (challenge) => /\bTOTP\b.*?\bheader="([^"]{1,64})"/i.exec(challenge.slice(0, 500))?.[1] ?? [],
  )
}
