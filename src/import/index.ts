import { decodeUtf8 } from '../core/encoding.js'
import { isTOTPError } from '../core/errors.js'
import type { KnownAgent } from '../core/rebuild.js'
import { Batches } from './batches.js'
import { readCsv } from './csv.js'
import type { Entry } from './entry.js'
import { invalidImport } from './fields.js'
import { foreignKindOf } from './file-kinds.js'
import { readJson } from './json.js'
import { readKeyUris } from './key-uris.js'
import { readOwnFragments } from './own/index.js'
import { isPng } from './png.js'
import { readQr } from './qr-image.js'

export type { ClientAbout, Entry, Labelled } from './entry.js'

/** What the files to import hold. */
export interface Import {
  /** All that an agent knows, of each server file. */
  readonly servers: readonly KnownAgent[]
  readonly entries: readonly Entry[]
}

/** Longest text: several hundred thousand peers. */
const longestText = 32 * 1024 * 1024

/**
 * Reads server files, client fragments, and peers in any other supported format: otpauth and otpauth-migration URIs, one
 * per line; a PNG of a QR code that contains one; the JSON of `export` or `config server --format maps`; CSV with column
 * names; exports of other tools. With several files, `where` of an entry begins with the number of its file.
 *
 * @param at when the credentials of a server file count as created, which it does not say
 * @param signal ends the reading of an image when it is aborted
 * @throws {TOTPError} `ERR_IMPORT_INVALID` for any other input. No message quotes the input.
 */
export async function readImport(
  files: readonly Uint8Array[],
  at: Date,
  signal: AbortSignal,
): Promise<Import> {
  const batches = new Batches()
  const entries: Entry[] = []
  const servers: KnownAgent[] = []
  for (const [index, bytes] of files.entries()) {
    const file = files.length === 1 ? '' : `file ${index + 1}, `
    batches.begin(file)
    try {
      const read = await readFile(bytes, { at, signal, batches })
      servers.push(...read.servers)
      for (const entry of read.entries) entries.push({ ...entry, where: `${file}${entry.where}` })
    } catch (error) {
      if (file === '' || !isTOTPError(error)) throw error
      throw invalidImport(`${file}${error.message}`)
    }
  }
  return { servers, entries: [...entries, ...batches.problems()] }
}

interface Reading {
  readonly at: Date
  readonly signal: AbortSignal
  readonly batches: Batches
}

async function readFile(bytes: Uint8Array, { at, signal, batches }: Reading): Promise<Import> {
  if (isPng(bytes)) return { servers: [], entries: readKeyUris(await readQr(bytes, signal), batches) }
  const kind = foreignKindOf(bytes)
  if (kind !== undefined) throw invalidImport(kind)
  if (bytes.length > longestText)
    throw invalidImport(`this file is longer than ${longestText / 1024 / 1024} MiB; import it in parts`)
  const text = decode(bytes)
  const own = await readOwnFragments(text, { at, signal })
  if (!own) return { servers: [], entries: readText(text, batches) }
  const inJson = own.json.flatMap((one) => readText(one, batches))
  return { servers: own.servers, entries: [...own.entries, ...inJson] }
}

function readText(text: string, batches: Batches): readonly Entry[] {
  const first = firstLine(text)
  if (first === '') throw invalidImport('nothing to import; pass peers, one per line')
  if (/^otpauth/i.test(first)) return readKeyUris(text, batches)
  return /^[{[]/.test(first) ? readJson(text) : readCsv(text)
}

function decode(bytes: Uint8Array): string {
  // This drops the byte order mark that spreadsheets write.
  return decodeUtf8(bytes, 'the file to import', (message) =>
    invalidImport(
      message.replace(
        'is not UTF-8 text',
        'is neither UTF-8 text nor a PNG image; an encrypted export must be decrypted first',
      ),
    ),
  )
}

/** Returns the first line that is neither empty nor a comment. */
function firstLine(text: string): string {
  return /^(?!#)\S.*/m.exec(text.replace(/^[ \t]+/gm, ''))?.[0] ?? ''
}
