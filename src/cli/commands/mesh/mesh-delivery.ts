import { mkdirSync, readdirSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { isTOTPError } from '../../../core/errors.js'
import { jsonText, printable } from '../../../core/text.js'
import type { Delivery } from '../../../mesh/apply/ports.js'
import type { Mesh } from '../../../mesh/file/mesh.js'
import { isTemporary, temporaryPrefix } from '../../../store/atomic-write.js'
import { fileSystem, removeQuietly } from '../../../store/file-system.js'
import { translateErrors } from '../../../store/system-error.js'
import type { CliContext } from '../../context.js'
import { requireKind, writeDelivered, type DeliveredKind } from '../../io/delivered-file.js'
import { keepSecret, type KeepSecretOptions } from '../../io/result-file.js'
import { readAsAgent } from '../config/server-reader.js'
import { runMasked, secretsOf, type Problem, type Secrets } from '../rotate/masked-command.js'

export interface DeliveryOptions {
  /** For each command, in seconds. */
  readonly timeout: number
  readonly gitignore: boolean
  readonly allowWeakSeed: boolean
  /** Called with the name of each file that a new rule keeps out of git. */
  readonly onIgnored: (name: string) => void
}

/** Delivers to files, and to commands in the folder of the mesh file. */
export function meshDelivery(context: CliContext, mesh: Mesh, options: DeliveryOptions): Delivery {
  const to = (delivery: OneDelivery): Promise<Problem> => deliverOne(context, mesh, options, delivery)
  return {
    check(document) {
      readAsAgent(document, options.allowWeakSeed)
    },
    server: ({ name, serverFile, deliver }, roster, document) =>
      to({
        ...{ file: serverFile, command: deliver, document, label: name },
        kind: {
          what: `a server file of ${printable(name)}`,
          isOne: (there) => 'peers' in there && there['agent'] === name,
        },
        own: { A2A_TOTP_AGENT: name, A2A_TOTP_FORMAT: 'json' },
        secrets: () => secretsOf(roster, [...roster.peers.values()]),
      }),
    client: ({ name, clientFile, deliver }, rosters, document) =>
      to({
        ...{ file: clientFile, command: deliver, document, label: name },
        kind: {
          what: `a client file of ${printable(name)}`,
          isOne: (there) => 'agents' in there && there['peer'] === name,
        },
        own: {
          A2A_TOTP_PEER: name,
          A2A_TOTP_AGENT: Object.keys((document as { agents?: object }).agents ?? {}).join(','),
          A2A_TOTP_FORMAT: 'json',
        },
        secrets: () => joined(rosters.map((roster) => secretsOf(roster, [...roster.peers.values()]))),
      }),
  }
}

interface OneDelivery {
  readonly file: string | undefined
  readonly command: string | undefined
  readonly document: object
  readonly label: string
  readonly kind: DeliveredKind
  readonly own: Readonly<Record<string, string>>
  /** Only commands can print any. */
  readonly secrets: () => Secrets
}

async function deliverOne(
  context: CliContext,
  mesh: Mesh,
  { timeout, gitignore, onIgnored }: DeliveryOptions,
  { file, command, document, label, kind, own, secrets }: OneDelivery,
): Promise<Problem> {
  const input = `${jsonText(document, 2)}\n`
  if (file !== undefined) {
    const problem = await writeFileOf(context, mesh, file, { input, kind, gitignore, onIgnored })
    if (problem !== undefined) return problem
  }
  if (command === undefined) return undefined
  const failure = await runMasked(context, {
    command,
    label,
    input,
    own,
    cwd: mesh.folder,
    timeout,
    secrets: secrets(),
  })
  return failure === undefined ? undefined : `not delivered: ${failure}`
}

async function writeFileOf(
  context: CliContext,
  mesh: Mesh,
  file: string,
  { input, kind, ...keeping }: KeepSecretOptions & { readonly input: string; readonly kind: DeliveredKind },
): Promise<Problem> {
  let warning: string | undefined
  try {
    makeFolderIn(mesh, file)
    requireKind(file, kind)
    removeLeftovers(file)
    warning = writeDelivered(file, input)
  } catch (error) {
    if (!isTOTPError(error)) throw error
    return error.message
  }
  if (warning !== undefined) context.output.warn(warning)
  await keepSecret(context, file, keeping)
  return undefined
}

/** A folder beside the mesh file is its own; elsewhere a folder that is missing is more likely a mistake. */
export function makeFolderIn({ folder: own }: Mesh, file: string): void {
  const folder = dirname(file)
  if (relative(own, folder).startsWith('..')) return
  translateErrors('ERR_FILE_UNWRITABLE', `cannot create the folder ${folder}`, () =>
    mkdirSync(folder, { recursive: true, mode: 0o700 }),
  )
}

/** What runs that were killed left behind is secret, and no other run writes here: the mesh is locked. */
function removeLeftovers(file: string): void {
  const folder = dirname(file)
  const prefix = temporaryPrefix(file)
  try {
    for (const name of readdirSync(folder))
      if (name.startsWith(prefix) && isTemporary(name)) removeQuietly(join(folder, name), fileSystem)
  } catch {
    // The write itself says what is wrong with the folder.
  }
}

const joined = (all: readonly Secrets[]): Secrets => ({
  seeds: all.flatMap(({ seeds }) => seeds),
  tokens: all.flatMap(({ tokens }) => tokens),
})
