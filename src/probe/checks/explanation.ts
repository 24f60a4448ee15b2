import type { CheckId } from '../check-ids.js'
import { checks } from './index.js'
import { parseIds } from './selection.js'

/** What a check proves, what it means when it fails, and how to fix it. */
export interface CheckExplanation {
  readonly id: CheckId
  readonly proves: string
  readonly expects: string
  readonly means: string
  readonly mend: readonly string[]
}

/** @throws {TOTPError} `ERR_USAGE` for an unknown id, listing the known ones. */
export function explainCheck(id: string): CheckExplanation {
  const [known] = parseIds([id])
  if (known === undefined) throw new TypeError('one id is parsed to none')
  const { proves, expects, means, fix } = checks[known]
  return { id: known, proves, expects, means, mend: fix }
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
    '## How to fix it',
    '',
    ...mend.map((step) => `- ${step}`),
    '',
  ].join('\n')
}
