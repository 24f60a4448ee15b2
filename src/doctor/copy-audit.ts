import { lstatSync, type Stats } from 'node:fs'
import { basename, dirname, extname, join } from 'node:path'
import { isTemporary } from '../store/atomic-write.js'
import { isEncrypted } from '../store/protection.js'
import { removeCommand, type Finding } from './finding.js'
import { namesIn, readHead } from './small-file.js'

/** How much of a file is read: any part of a copy has seeds or tokens. */
const headBytes = 1 << 22
/** How many files of the folder are read. */
const mostFiles = 500

/** Copies of a store beside it, in plain text. */
export interface Copy {
  readonly path: string
  /** Whether the tool made it, as a backup. */
  readonly backup: boolean
  /** Whether other users can read it. */
  readonly open: boolean
}

/** Finds copies of a store beside it that hold seeds or tokens in plain text: backups, and what editors and merges leave. */
export function copiesOf(storePath: string): Copy[] {
  const [folder, name] = [dirname(storePath), basename(storePath)]
  const stem = name.slice(0, name.length - extname(name).length)
  const copies: Copy[] = []
  const candidates = (namesIn(folder) ?? []).filter(
    (one) => one !== name && !isTemporary(one) && mayBeCopy(one, stem),
  )
  for (const one of candidates.slice(0, mostFiles)) {
    const path = join(folder, one)
    const stats = lstatSync(path, { throwIfNoEntry: false })
    const backup = one.startsWith(`${name}.bak-`)
    const bytes = readHead(path, headBytes)
    if (stats === undefined || bytes === undefined || isEncrypted(bytes)) continue
    if (backup || holdsStore(bytes)) copies.push({ path, backup, open: isOpen(stats) })
  }
  return copies
}

/** `a2a-totp.json~`, `.a2a-totp.json.swp`, `Copy of a2a-totp.json`; `sedWyTpQk` is what sed -i leaves. */
const mayBeCopy = (name: string, stem: string): boolean => name.includes(stem) || /^sed\w{6}$/.test(name)

const isOpen = ({ mode }: Stats): boolean => process.platform !== 'win32' && (mode & 0o077) !== 0

/** Whether bytes hold a part of a store with a seed or a token. A server file or a fragment has no `createdAt`. */
function holdsStore(bytes: Buffer): boolean {
  const text = bytes.toString('latin1').replaceAll('\0', '')
  return text.includes('"createdAt"') && /"(?:seed|token)"\s*:\s*"[^"]/.test(text)
}

/**
 * Reports copies of a store in plain text.
 *
 * @param taken whether a commit has a file, or would take it
 */
export function auditCopies(copies: readonly Copy[], taken: (path: string) => boolean): Finding[] {
  return copies.map(({ path, backup, open }): Finding => {
    const fix = removeCommand([path])
    if (backup) {
      const message = 'an unencrypted backup; its seeds and tokens may still be valid'
      return {
        id: 'backup-plaintext',
        severity: open ? 'serious' : 'warning',
        subject: path,
        message: open ? `${message}, and other users can read it` : message,
        fix,
        joint: { noun: 'files', fix: removeCommand },
      }
    }
    const danger = open
      ? ', and other users can read it'
      : taken(path)
        ? ', and the next commit may include it'
        : ''
    return {
      id: 'copy-plaintext',
      severity: danger === '' ? 'warning' : 'serious',
      subject: path,
      message: `a copy of the store, as editors and merges leave them, with seeds or tokens in plain text${danger}`,
      fix,
      joint: {
        noun: 'files',
        message:
          'copies of the store, as editors and merges leave them, with seeds or tokens in plain text, where other users can read them or the next commit may include them',
        fix: removeCommand,
      },
    }
  })
}
