import { TOTPError } from '../../../core/errors.js'
import { isNewName, nameRule } from '../../../core/name.js'
import type { KnownAgent } from '../../../core/rebuild.js'
import type { Entry } from '../../../import/index.js'

/** New names by old ones, of `--rename OLD=NEW`. */
export type Renames = ReadonlyMap<string, string>

/** Adds one `--rename OLD=NEW`. OLD may be any label; NEW has no `=`. @throws {TOTPError} `ERR_USAGE` */
export function addRename(given: string, before: Renames | undefined): Renames {
  const at = given.lastIndexOf('=')
  const [old, name] = [given.slice(0, at).trim(), given.slice(at + 1).trim()]
  if (at < 1 || old === '' || !isNewName(name)) {
    throw new TOTPError(
      'ERR_USAGE',
      `--rename must be OLD=NEW, where OLD is in the file and NEW is ${nameRule}`,
    )
  }
  if (before?.has(old)) throw new TOTPError('ERR_USAGE', '--rename names one OLD twice; name each once')
  return new Map([...(before ?? []), [old, name]])
}

/** Checks the name of `--name`. @throws {TOTPError} `ERR_USAGE` */
export function onlyName(given: string): string {
  if (isNewName(given)) return given
  throw new TOTPError('ERR_USAGE', `--name must be ${nameRule}`)
}

/**
 * Returns the entries under the names of the options.
 *
 * @throws {TOTPError} `ERR_USAGE` when a name that is to be changed is not there, or `--name` is given for several
 */
export function renameEntries(
  entries: readonly Entry[],
  { rename, name }: { rename?: Renames | undefined; name?: string | undefined },
): readonly Entry[] {
  if (name !== undefined) {
    const [entry, other] = entries.filter((one) => !('problem' in one))
    if (other) {
      throw new TOTPError(
        'ERR_USAGE',
        `--name is for one peer, and the file has ${entries.length}; pass --rename OLD=NEW`,
      )
    }
    if (entry) return entries.map((one) => (one === entry ? named(one, name) : one))
  }
  const used = new Set<string>()
  const renamed = entries.map((entry) => {
    const to = newName(entry, rename, used)
    return to === undefined ? entry : named(entry, to)
  })
  requireUsed(rename, used)
  return renamed
}

/** The same for the peers and canaries of a server file. */
export function renameKnown(known: KnownAgent, rename: Renames | undefined): KnownAgent {
  const used = new Set<string>()
  const renamed = <T extends { readonly name: string }>(one: T): T => {
    const to = rename?.get(one.name)
    if (to === undefined) return one
    used.add(one.name)
    return { ...one, name: to }
  }
  const after = { ...known, peers: known.peers.map(renamed), canaries: known.canaries.map(renamed) }
  requireUsed(rename, used)
  const names = [...after.peers, ...after.canaries].map(({ name }) => name)
  if (new Set(names).size < names.length)
    throw new TOTPError('ERR_USAGE', '--rename: two peers would have one name; each needs its own')
  return after
}

function newName(entry: Entry, rename: Renames | undefined, used: Set<string>): string | undefined {
  if (!rename || 'problem' in entry) return undefined
  const label = labelsOf(entry).find((one) => rename.has(one))
  if (label === undefined) return undefined
  used.add(label)
  return rename.get(label)
}

/** What an entry is called in its file: with its issuer, as apps show it, and without. */
function labelsOf(entry: Exclude<Entry, { problem: string }>): string[] {
  if ('canary' in entry) return [entry.canary.name]
  const { label = '', issuer, request } = entry
  const full = issuer === undefined ? [] : [`${issuer}:${label}`, ...(label === '' ? [issuer] : [])]
  return [...full, label, request.name ?? ''].filter((one) => one !== '')
}

function named(entry: Entry, name: string): Entry {
  if ('problem' in entry) return entry
  if ('canary' in entry) return { ...entry, canary: { ...entry.canary, name } }
  if ('nameProblem' in entry) {
    const { where, label, issuer, client, exportedFrom, request } = entry
    return {
      ...{ where, label, issuer, isNamed: true, request: { ...request, name } },
      ...(client && { client }),
      ...(exportedFrom && { exportedFrom }),
    }
  }
  return { ...entry, request: { ...entry.request, name }, isNamed: true }
}

function requireUsed(rename: Renames | undefined, used: ReadonlySet<string>): void {
  const unused = [...(rename?.keys() ?? [])].filter((old) => !used.has(old)).length
  if (unused === 0) return
  throw new TOTPError(
    'ERR_USAGE',
    `--rename: the file has no peer with ${unused === 1 ? 'that name' : `${unused} of the names`}; pass names as the file has them`,
  )
}
