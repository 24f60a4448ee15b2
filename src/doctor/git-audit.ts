import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { searchHistory } from '../programs/git-history.js'
import { askGit, type KnownView } from '../programs/git-view.js'
import type { Asker, Doubt } from '../programs/git.js'
import { ignoreInGit } from '../store/ignore-file.js'
import { isEncrypted } from '../store/protection.js'
import { untrackCommand } from '../programs/untrack-command.js'
import type { Finding } from './finding.js'

/** Reports whether git tracks an unencrypted store, would add it, or has it in its history. */
export async function auditGit(path: string, asker: Asker): Promise<Finding[]> {
  const view = await askGit(path, asker)
  if (view.kind === 'outside') return []
  if (view.kind === 'unknown') return [unknown(path, view)]
  const plain = !isEncrypted(readFileSync(path))
  const history = await searchHistory(view, (start) => !isEncrypted(start))
  return [
    ...(plain ? exposed(path, view, asker) : []),
    ...(history.found ? [committed(path, view, plain, asker)] : []),
    ...(history.doubt ? [unknown(path, history.doubt)] : []),
    ...(view.doubt ? [unknown(path, view.doubt)] : []),
  ]
}

/** Findings for an unencrypted store. Ignore rules have no effect on a file that is tracked. */
function exposed(path: string, view: KnownView, asker: Asker): Finding[] {
  const findings: Finding[] = []
  if (view.tracked !== undefined) {
    findings.push({
      id: 'git-tracked',
      severity: 'serious',
      subject: path,
      message: `git tracks this unencrypted store${alias(view)}, so .gitignore has no effect: the next commit publishes every seed and token`,
      fix: untrackCommand(trackedPath(view), view.root, asker.cwd),
    })
  }
  if (!view.ignored) {
    findings.push({
      id: 'git-not-ignored',
      severity: 'serious',
      subject: path,
      message: 'this unencrypted store is in a git work tree and not ignored: the next commit may include it',
      fix: 'a2a-totp doctor --fix, or add it to .gitignore after all rules that include it',
      repair: async () => {
        ignoreInGit(path)
        const after = await askGit(path, asker)
        return after.kind === 'known' && after.ignored
      },
    })
  }
  return findings
}

function committed(path: string, view: KnownView, plain: boolean, { cwd }: Asker): Finding {
  const untrack =
    plain && view.tracked !== undefined ? `, then ${untrackCommand(trackedPath(view), view.root, cwd)}` : ''
  return {
    id: 'git-committed',
    severity: 'serious',
    subject: path,
    message: 'the git history contains it unencrypted: anyone with the repository has its seeds and tokens',
    fix: `a2a-totp rotate --all --now${untrack}`,
  }
}

const trackedPath = ({ root, path, tracked = path }: KnownView): string => join(root, tracked)

const alias = ({ path, tracked = path }: KnownView): string => (tracked === path ? '' : ` as ${tracked}`)

function unknown(path: string, { reason, advice }: Doubt): Finding {
  return {
    id: 'git-unknown',
    severity: 'note',
    subject: path,
    message: `it is in a git work tree, but whether git tracks or ignores it cannot be checked: ${reason}`,
    fix: advice,
  }
}
