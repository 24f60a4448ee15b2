import { clientEnv } from './client-env.js'
import { clientJson } from './client-json.js'
import type { ClientInput, Fragment, ServerInput } from './fragment.js'
import { serverEnv } from './server-env.js'
import { serverJson } from './server-json.js'
import { serverMaps } from './server-maps.js'

export { defaultServerFile, type ClientInput, type Fragment, type ServerInput } from './fragment.js'
export { makeServerFile } from './server-json.js'

/** `config server --format`: the keys are the choices. The first is the default. */
export const serverFragments = {
  json: serverJson,
  maps: serverMaps,
  env: serverEnv,
} satisfies Record<string, Fragment<ServerInput>>

/** `config client NAME --format`: the keys are the choices. The first is the default. */
export const clientFragments = {
  env: clientEnv,
  json: clientJson,
} satisfies Record<string, Fragment<ClientInput>>

export type ServerFormat = keyof typeof serverFragments
export type ClientFormat = keyof typeof clientFragments

/** A fragment, ready to be written out. */
export interface RenderedFragment {
  /** What to print, with a newline at its end. */
  readonly content: string
  /** What to print with `--json`: the document itself, or `{ format, content }` of a text. */
  readonly document: object
  /** Whether it holds a seed or a token. */
  readonly secret: boolean
  /** For stderr. */
  readonly warnings: readonly string[]
}

/**
 * A fragment for the protected agent.
 *
 * @throws {A2aTotpError} `ERR_CREDENTIAL_EXPIRED` when there is a shared seed and it has expired;
 *   `ERR_CONFIG_INVALID` when the format cannot hold a value.
 */
export function renderServerFragment(format: ServerFormat, input: ServerInput): RenderedFragment {
  return render(format, serverFragments[format], input)
}

/**
 * A fragment for one peer.
 *
 * @throws {A2aTotpError} `ERR_CREDENTIAL_EXPIRED` when the peer has no live seed or no live token;
 *   `ERR_CONFIG_INVALID` when the format cannot hold a value.
 */
export function renderClientFragment(format: ClientFormat, input: ClientInput): RenderedFragment {
  return render(format, clientFragments[format], input)
}

function render<Input>(format: string, fragment: Fragment<Input>, input: Input): RenderedFragment {
  const { secret } = fragment
  const warnings = fragment.warnings?.(input) ?? []
  if (fragment.kind === 'text') {
    const content = fragment.make(input)
    return { content, document: { format, content }, secret, warnings }
  }
  const document = fragment.make(input)
  return { content: `${JSON.stringify(document, null, 2)}\n`, document, secret, warnings }
}
