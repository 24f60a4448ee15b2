import { chmodSync, lstatSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { quoteForShell } from '../core/shell.js'
import { isTemporary, temporaryPrefix } from '../store/atomic-write.js'
import { untrustedFolder } from '../store/trusted-folder.js'
import { acquireLock } from '../store/lock/lock.js'
import { isEncrypted } from '../store/protection.js'
import { translateErrors } from '../store/system-error.js'
import { removeCommand, type Finding } from './finding.js'
import { namesIn } from './small-file.js'

/** Audits the file of a store, its folders, and what a killed command left beside it. */
export function auditFile(path: string, tool = 'a2a-totp'): Finding[] {
  const encrypted = isEncrypted(readFileSync(path))
  return [
    ...(process.platform === 'win32'
      ? [windows(path)]
      : [...auditMode(path, encrypted), ...auditFolder(path)]),
    ...(encrypted ? [] : [unencrypted(path, tool)]),
    ...auditLeftovers(path),
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
        translateErrors('ERR_FILE_UNWRITABLE', `cannot change the mode of ${path}`, () =>
          chmodSync(path, 0o600),
        )
        return (lstatSync(path).mode & 0o077) === 0
      },
    })
  }
  return findings
}

function auditFolder(path: string): Finding[] {
  const open = untrustedFolder(dirname(path))
  if (open === undefined) return []
  const message = `${open.reason}: anyone who can write there can replace the store`
  const fix = open.writable
    ? `chmod go-w ${quoteForShell(open.folder)}`
    : 'move the store to a folder of your own, whose parents are yours or those of root'
  return [{ id: 'folder-open', severity: 'serious', subject: dirname(path), message, fix }]
}

function auditLeftovers(path: string): Finding[] {
  const folder = dirname(path)
  const listed = namesIn(folder)
  const names = listed ?? []
  const findings: Finding[] = listed ? [] : [unlisted(folder)]
  const leftovers = names.filter((name) => name.startsWith(temporaryPrefix(path)))
  const joint = { noun: 'files', fix: removeCommand } as const
  if (leftovers.length > 0) {
    const paths = leftovers.map((name) => join(folder, name))
    findings.push({
      id: 'leftovers',
      severity: 'warning',
      subject: paths[0] ?? '',
      message: 'left behind by a killed command; it may contain seeds and tokens',
      fix: removeCommand(paths),
      joint,
      // Taking the lock removes leftovers.
      repair: async () => {
        ;(await acquireLock(path)).release()
        return !namesIn(folder)?.some((name) => name.startsWith(temporaryPrefix(path)))
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
      fix: removeCommand([join(folder, name)]),
      joint,
    })
  }
  return findings
}

const unlisted = (folder: string): Finding => ({
  id: 'folder-unlisted',
  severity: 'warning',
  subject: folder,
  message:
    'its files cannot be listed: copies of the store, leftovers of killed commands and printed modules were not looked for',
  fix: `chmod u+r ${quoteForShell(folder)}`,
})

function unencrypted(path: string, tool: string): Finding {
  const message = 'the store is not encrypted: a backup of the disk contains every seed and token'
  return {
    id: 'unencrypted',
    severity: 'note',
    subject: path,
    message,
    fix: `${tool} encrypt --encrypt-to age1…`,
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
