import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { ignoreInGit } from '../../store/ignore-file.js'
import { upwardFrom } from '../../store/locate.js'
import { isEncrypted } from '../../store/protection.js'
import type { Finding } from './finding.js'

/** Whether git would take a plaintext store, or has taken it already. */
export function auditGit(path: string): Finding[] {
  const folder = dirname(path)
  if (!upwardFrom(folder).some((above) => existsSync(join(above, '.git')))) return []
  const run = git(folder)
  if (run('rev-parse', '--is-inside-work-tree').status !== 0) return [noGit(path)]
  const findings: Finding[] = []
  const plain = !isEncrypted(readFileSync(path))
  if (plain && run('check-ignore', '-q', '--no-index', basename(path)).status !== 0) {
    findings.push({
      id: 'git-not-ignored',
      severity: 'serious',
      subject: path,
      message: 'a plaintext store in a git work tree, and not ignored: the next commit may take it along',
      fix: 'a2a-totp doctor --fix, or add it to .gitignore',
      mend: () => void ignoreInGit(path),
    })
  }
  if (everCommitted(run, path)) {
    findings.push({
      id: 'git-committed',
      severity: 'serious',
      subject: path,
      message: 'git has it in plain text: everybody with the repository has its seeds and tokens',
      fix: `a2a-totp rotate --all --now, then git rm --cached ${basename(path)}`,
    })
  }
  return findings
}

type Git = (...args: string[]) => { readonly status: number | null; readonly stdout: Buffer }

const git =
  (cwd: string): Git =>
  (...args) =>
    spawnSync('git', args, { cwd, stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 1 << 26 })

/** Looks at every version of the file in the index and in any commit that can be reached. */
function everCommitted(run: Git, path: string): boolean {
  const name = `./${basename(path)}`
  const commits = run('log', '--all', '--format=%H', '--', name).stdout.toString().split('\n').filter(Boolean)
  return ['', ...commits].some((commit) => {
    const { status, stdout } = run('cat-file', 'blob', `${commit}:${name}`)
    return status === 0 && stdout.length > 0 && !isEncrypted(stdout)
  })
}

function noGit(path: string): Finding {
  const message = 'it lies in a git work tree, but git cannot be asked about it'
  return {
    id: 'git-unknown',
    severity: 'note',
    subject: path,
    message,
    fix: 'install git, or look for yourself',
  }
}
