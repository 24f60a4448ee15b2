import type { Roster } from '../core/roster.js'
import type { Asker } from '../programs/git.js'
import type { Protection } from '../store/protection.js'
import { auditAcross } from './across-audit.js'
import { auditFile } from './file-audit.js'
import { severities, type Finding } from './finding.js'
import { auditGit } from './git-audit.js'
import { auditProtection } from './protection-audit.js'
import { auditRoster } from './roster-audit.js'

export { auditClock } from './clock-audit.js'
export type { Finding } from './finding.js'

/** A store for `doctor` to examine. */
export interface StoreUnderTest {
  readonly path: string
  readonly roster: Roster
  readonly protection: Protection
}

/** Audits stores; returns all findings, the most serious first. */
export async function examine(stores: readonly StoreUnderTest[], at: Date, asker: Asker): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const { path, roster, protection } of stores) {
    findings.push(
      ...auditFile(path),
      ...auditProtection(path, protection),
      ...(await auditGit(path, asker)),
      ...auditRoster(roster, at),
    )
  }
  return worstFirst([...findings, ...auditAcross(stores)])
}

/** Sorts findings by severity, the most serious first. */
export function worstFirst(findings: readonly Finding[]): Finding[] {
  return severities.flatMap((severity) => findings.filter((finding) => finding.severity === severity))
}
