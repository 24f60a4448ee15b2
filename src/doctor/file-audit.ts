import { chmodSync, lstatSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { quoteForShell } from '../core/shell.js'
import { isTemporary, temporaryPrefix } from '../store/atomic-write.js'
import { distrustFolder } from '../store/locate.js'
import { acquireLock } from '../store/lock/lock.js'
import { isEncrypted } from '../store/protection.js'
import type { Finding } from './finding.js'

/** What is wrong with a store's file, its folders, and what lies beside it. */
export function auditFile(path: string): Finding[] {
  const encrypted = isEncrypted(readFileSync(path))
  return [
    ...(process.platform === 'win32'
      ? [windows(path)]
      : [...auditMode(path, encrypted), ...auditFolder(path)]),
    ...(encrypted ? [] : [unencrypted(path)]),
    ...auditSidecars(path),
  ]
}

function auditMode(path: string, encrypted: boolean): Finding[] {
  const { mode, uid } = lstatSync(path)
  const findings: Finding[] = []
  const quoted = quoteForShell(path)
  if (uid !== process.geteuid?.()) {
    findings.push({
      id: 'store-owner',
      severity: 'serious',
      subject: path,
      message: `it belongs to another user (uid ${uid}), who can read and replace it`,
      fix: `chown "$(id -u)" ${quoted}`,
    })
  }
  if ((mode & (encrypted ? 0o022 : 0o077)) !== 0) {
    findings.push({
      id: 'store-mode',
      severity: 'serious',
      subject: path,
      message: `others can ${encrypted ? 'replace it' : 'read it, every seed and token'} (mode ${(mode & 0o777).toString(8)}); commands refuse it`,
      fix: `chmod 600 ${quoted}`,
      mend: () => {
        chmodSync(path, 0o600)
        return (lstatSync(path).mode & 0o077) === 0
      },
    })
  }
  return findings
}

function auditFolder(path: string): Finding[] {
  const reason = distrustFolder(dirname(path))
  if (reason === undefined) return []
  const message = `${reason}: whoever can write there can put another store in its place`
  const fix = 'chmod go-w the folder, or move the store to one of your own'
  return [{ id: 'folder-open', severity: 'serious', subject: dirname(path), message, fix }]
}

function auditSidecars(path: string): Finding[] {
  const folder = dirname(path)
  const names = readdirSync(folder)
  const findings: Finding[] = []
  const leftovers = names.filter((name) => name.startsWith(temporaryPrefix(path)))
  if (leftovers.length > 0) {
    findings.push({
      id: 'leftovers',
      severity: 'warning',
      subject: join(folder, leftovers[0] ?? ''),
      message: 'a writer was killed and left this behind; it may hold seeds and tokens',
      fix: 'a2a-totp doctor --fix, or any change of the store, clears it away',
      // Whoever takes the lock clears up.
      mend: async () => {
        ;(await acquireLock(path)).release()
        return !readdirSync(folder).some((name) => name.startsWith(temporaryPrefix(path)))
      },
    })
  }
  // Of a result that --out names, or of another store: nobody takes a lock there, so nobody clears up.
  for (const name of names.filter((one) => isTemporary(one) && !leftovers.includes(one))) {
    findings.push({
      id: 'leftovers',
      severity: 'warning',
      subject: join(folder, name),
      message:
        'a writer left this behind when it was killed, unless it is still at work; it may hold seeds and tokens',
      fix: `rm ${quoteForShell(join(folder, name))}`,
    })
  }
  for (const name of names.filter((one) => one.startsWith(`${basename(path)}.bak-`))) {
    const backup = join(folder, name)
    if (!lstatSync(backup).isFile() || isEncrypted(readFileSync(backup))) continue
    findings.push({
      id: 'backup-plaintext',
      severity: 'warning',
      subject: backup,
      message: 'a backup in plain text; what it holds may still be valid',
      fix: `rm ${quoteForShell(backup)}`,
    })
  }
  return findings
}

function unencrypted(path: string): Finding {
  const message = 'the store is plain text: a backup of the disk holds every seed and token'
  return {
    id: 'unencrypted',
    severity: 'note',
    subject: path,
    message,
    fix: 'a2a-totp encrypt --encrypt-to age1…',
  }
}

function windows(path: string): Finding {
  const message = 'on Windows, owners and modes cannot be checked'
  return {
    id: 'modes-unknown',
    severity: 'note',
    subject: path,
    message,
    fix: 'check who can read it by hand',
  }
}
