import type { Roster } from '../../core/peer.js'
import { auditAcross } from './across-audit.js'
import { auditFile } from './file-audit.js'
import { severities, type Finding } from './finding.js'
import { auditGit } from './git-audit.js'
import { auditRoster } from './roster-audit.js'

export { auditClock } from './clock-audit.js'
export type { Finding } from './finding.js'

/** A store that `doctor` looks at. */
export interface Patient {
  readonly path: string
  readonly roster: Roster
}

/** Everything that is to be said about some stores, the worst first. */
export function examine(patients: readonly Patient[], at: Date): Finding[] {
  const findings = patients.flatMap(({ path, roster }) => [
    ...auditFile(path),
    ...auditGit(path),
    ...auditRoster(roster, at),
  ])
  return worstFirst([...findings, ...auditAcross(patients)])
}

export function worstFirst(findings: readonly Finding[]): Finding[] {
  return severities.flatMap((severity) => findings.filter((finding) => finding.severity === severity))
}
