import { join } from 'node:path'
import type { Roster } from '../core/roster.js'
import { realPath } from '../programs/work-tree.js'
import { previousPath } from '../store/previous.js'
import type { Asker } from '../programs/git.js'
import type { Protection } from '../store/protection.js'
import { auditAcross } from './across-audit.js'
import { auditCopies, copiesOf } from './copy-audit.js'
import { auditFile } from './file-audit.js'
import { severities, type Finding } from './finding.js'
import { auditGit } from './git-audit.js'
import { auditHistory } from './history-audit.js'
import { needlesOf } from './needles.js'
import { auditPrevious } from './previous-audit.js'
import { auditProtection } from './protection-audit.js'
import { auditRoster } from './roster-audit.js'
import { auditSecrets, type SecretSearch } from './secret-audit.js'
import { auditVendored } from './vendored-audit.js'

export { auditEvents } from './event-audit.js'
export { tallyEvents, type EventTally } from './event-tally.js'
export { auditClock } from './clock-audit.js'
export type { Finding } from './finding.js'
export { kindsOf, type Kind } from './kinds.js'

/** A store for `doctor` to examine. */
export interface StoreUnderTest {
  readonly path: string
  /** The command that works on it, as a shell reads it: `a2a-totp`, with `--store` where it would find another one. */
  readonly tool: string
  readonly roster: Roster
  readonly protection: Protection
  /** Reads the previous store, which `undo` puts back, with the keys of this one. */
  readonly openPrevious: () => Promise<Roster>
}

/** What is around the stores. */
export interface Surroundings {
  readonly at: Date
  /** Of this program. */
  readonly version: string
  readonly asker: Asker
}

/** Audits stores; returns all findings, the most serious first. */
export async function examine(stores: readonly StoreUnderTest[], around: Surroundings): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const store of stores) {
    const ofStore = await examineOne(store, around)
    findings.push(...ofStore.map((finding) => ({ ...finding, store: store.path })))
  }
  return worstFirst([...findings, ...auditAcross(stores)])
}

async function examineOne(store: StoreUnderTest, { at, version, asker }: Surroundings): Promise<Finding[]> {
  const { path, tool, roster, protection } = store
  const copies = copiesOf(path)
  const known = copies.map((copy) => copy.path)
  const needles = needlesOf(roster, at)
  const git = await auditGit({ path, tool, asker, needles, copies })
  const { tree } = git
  const listed =
    tree && [...tree.files.tracked, ...tree.files.added].map((file) => join(tree.view.root, file))
  const taken = new Set(listed)
  const [peer = 'NAME'] = roster.peers.keys()
  return [
    ...auditFile(path, tool),
    ...auditCopies(
      copies.filter((copy) => copy.path !== previousPath(path)),
      (file) => taken.has(realPath(file)),
    ),
    ...(await auditPrevious(store, at)),
    ...auditProtection(path, protection, tool),
    ...git.findings,
    ...(tree
      ? await auditLeaks(git.findings, {
          ...{ ...tree, needles, tool, asker, peers: roster.peers.size },
          known: [path, ...known].map(realPath),
        })
      : []),
    ...(await auditVendored(path, listed, { tool, version, peer })),
    ...auditRoster(roster, at, tool),
  ]
}

/** Searches the files of a work tree and its commits, unless the fix of a finding of git's rotates everything anyway. */
async function auditLeaks(ofGit: readonly Finding[], search: SecretSearch): Promise<Finding[]> {
  const secrets = await auditSecrets(search)
  if (ofGit.some(({ id, severity }) => id === 'git-committed' && severity === 'serious')) return secrets
  const { view, needles, tool, peers, asker } = search
  const reported = secrets.filter(({ id }) => id === 'secret-tracked').map(({ subject }) => subject)
  return [...secrets, ...(await auditHistory({ view, needles, tool, peers, asker, reported }))]
}

/** Sorts findings by severity, the most serious first. */
export function worstFirst(findings: readonly Finding[]): Finding[] {
  return severities.flatMap((severity) => findings.filter((finding) => finding.severity === severity))
}
