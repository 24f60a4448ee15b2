import { chmodSync, lstatSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { quoteForShell } from '../core/shell.js'
import { isTemporary, temporaryPrefix } from '../store/atomic-write.js'
import { distrustFolder } from '../store/trusted-folder.js'
import { acquireLock } from '../store/lock/lock.js'
import { isEncrypted } from '../store/protection.js'
import type { Finding } from './finding.js'

/** Audits the file of a store, its folders, and the files beside it. */
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
      message: `the file belongs to another user (uid ${uid}), who can read and replace it`,
      fix: `chown "$(id -u)" ${quoted}`,
    })
  }
  if ((mode & (encrypted ? 0o022 : 0o077)) !== 0) {
    findings.push({
      id: 'store-mode',
      severity: 'serious',
      subject: path,
      message: `other users can ${encrypted ? 'replace it' : 'read every seed and token'} (mode ${(mode & 0o777).toString(8)}); commands refuse to use it`,
      fix: `chmod 600 ${quoted}`,
      repair: () => {
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
  const message = `${reason}: anyone who can write there can replace the store`
  const fix = 'run chmod go-w on the folder, or move the store to a folder of your own'
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
      message: 'left behind by a killed command; it may contain seeds and tokens',
      fix: 'a2a-totp doctor --fix, or any change to the store, removes it',
      // Taking the lock removes leftovers.
      repair: async () => {
        ;(await acquireLock(path)).release()
        return !readdirSync(folder).some((name) => name.startsWith(temporaryPrefix(path)))
      },
    })
  }
  // From --out, or from another store: no lock is taken there, so nothing removes them.
  for (const name of names.filter((one) => isTemporary(one) && !leftovers.includes(one))) {
    findings.push({
      id: 'leftovers',
      severity: 'warning',
      subject: join(folder, name),
      message:
        'left behind by a killed command, unless one is still running; it may contain seeds and tokens',
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
      message: 'an unencrypted backup; its seeds and tokens may still be valid',
      fix: `rm ${quoteForShell(backup)}`,
    })
  }
  return findings
}

function unencrypted(path: string): Finding {
  const message = 'the store is not encrypted: a backup of the disk contains every seed and token'
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
    fix: 'check manually who can read the file',
  }
}
