import { infoOf, selectChecks, type CheckId } from '../checks/catalogue.js'
import { agentExplanations } from './explanations/agent.js'
import { mannersExplanations } from './explanations/manners.js'
import type { Explanation } from './explanations/page.js'
import { refusalExplanations } from './explanations/refusals.js'

const explanations: Readonly<Record<CheckId, Explanation>> = {
  ...agentExplanations,
  ...refusalExplanations,
  ...mannersExplanations,
}

/** What a check proves, what it means when it fails, and how to mend it. */
export interface CheckExplanation extends Explanation {
  readonly id: CheckId
  readonly proves: string
  readonly expects: string
}

/** @throws {TOTPError} `ERR_USAGE` for an id that is none, listing those that are. */
export function explainCheck(id: string): CheckExplanation {
  const [known] = selectChecks([id]).reported
  if (known === undefined) throw new TypeError('a selection of one check is empty')
  const { proves, expects } = infoOf(known)
  return { id: known, proves, expects, ...explanations[known] }
}

/** The page of a check, as Markdown that reads well as plain text. */
export function pageOf(id: string): string {
  const { id: known, proves, expects, means, mend } = explainCheck(id)
  return [
    `# ${known}`,
    '',
    `Proves: ${proves}. Expected: ${expects}.`,
    '',
    '## What a failure means',
    '',
    means,
    '',
    '## How to mend it',
    '',
    ...mend.map((step) => `- ${step}`),
    '',
  ].join('\n')
}
