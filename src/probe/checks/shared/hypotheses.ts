import { digitCounts } from '../../../core/profile.js'
import { generateCode } from '../../../core/totp.js'
import { credentialFields } from '../../run/material.js'
import type { Situation } from '../../run/plan.js'
import type { FieldLine } from '../../wire/raw-answer.js'
import type { Hypothesis } from '../check.js'
import { otherHeaderOf } from './other-header.js'

/** Common mix-ups, the likeliest first, each with a request that is let in if it is the reason. */
export function hypotheses(situation: Situation): Hypothesis[] {
  return [...ofHeader(situation), ...ofDigits(situation)]
}

function ofHeader({ credentials, cards, refusal, at }: Situation): Hypothesis[] {
  const { header, seed } = credentials
  const name = otherHeaderOf(refusal, cards, header)
  if (name === undefined || !/^[!#$%&'*+.^_`|~\w-]+$/.test(name)) return []
  const fields = credentialFields(credentials, generateCode(seed, credentials, at)).map(
    ([field, value]): FieldLine => (field === header ? [name, value] : [field, value]),
  )
  const shows = `the agent asks for the code in ${name}, but it was sent in ${header}; in ${name} it was let in`
  return [{ label: `the header ${name}`, shows, fields }]
}

/** An agent that expects the right length finds codes of another length malformed, so they are no guesses. */
function ofDigits({ credentials, at }: Situation): Hypothesis[] {
  return digitCounts
    .filter((digits) => digits !== credentials.digits)
    .map((digits) => ({
      label: `${digits} digits`,
      shows: `the agent wants codes of ${digits} digits, not ${credentials.digits}`,
      fields: credentialFields(credentials, generateCode(credentials.seed, { ...credentials, digits }, at)),
    }))
}
