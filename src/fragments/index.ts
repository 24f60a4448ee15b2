import { requireSharable } from '../core/shared-seed.js'
import { jsonText } from '../core/text.js'
import { clientEnv } from './client-env.js'
import { clientJson } from './client-json.js'
import { serverCompose } from './compose.js'
import { clientCrewai, serverCrewai } from './crewai.js'
import { clientCurl } from './curl.js'
import type { ClientInput, Fragment, FragmentFile, ServerInput } from './fragment.js'
import { frontFragment } from './front.js'
import { clientGithub } from './github.js'
import { clientGo } from './go.js'
import { clientKubernetes, serverKubernetes } from './kubernetes.js'
import { clientPython, serverPython } from './python.js'
import { serverEnv } from './server-env.js'
import { serverJson } from './server-json.js'
import { serverMaps } from './server-maps.js'
import { clientSystemd, serverSystemd } from './systemd.js'
import { clientTypescript, serverTypescript } from './typescript.js'
import { clientYaml, serverYaml } from './yaml.js'

export {
  defaultServerFile,
  type ClientInput,
  type Fragment,
  type FragmentFile,
  type ServerInput,
} from './fragment.js'
export { defaultFront, type FrontAddress, type FrontAddresses } from './front-addresses.js'
export { makeServerFile } from './server-json.js'

/** `config server --format`: the keys are the choices. The first is the default. */
export const serverFragments = {
  json: serverJson,
  maps: serverMaps,
  env: serverEnv,
  yaml: serverYaml,
  typescript: serverTypescript,
  python: serverPython,
  crewai: serverCrewai,
  kubernetes: serverKubernetes,
  compose: serverCompose,
  systemd: serverSystemd,
  nginx: frontFragment('a server for the http block of nginx', ['a2a-totp.conf']),
  caddy: frontFragment('the configuration of Caddy', ['Caddyfile']),
  traefik: frontFragment('both configurations of Traefik', ['traefik-dynamic.yaml', 'traefik-static.yaml']),
  haproxy: frontFragment('the configuration of HAProxy, and its Lua', ['haproxy.cfg', 'a2a-totp.lua']),
  envoy: frontFragment('the configuration of Envoy', ['envoy.yaml']),
} satisfies Record<string, Fragment<ServerInput>>

/** `config client NAME --format`: the keys are the choices. The first is the default. */
export const clientFragments = {
  env: clientEnv,
  json: clientJson,
  yaml: clientYaml,
  typescript: clientTypescript,
  python: clientPython,
  crewai: clientCrewai,
  kubernetes: clientKubernetes,
  github: clientGithub,
  curl: clientCurl,
  systemd: clientSystemd,
  go: clientGo,
} satisfies Record<string, Fragment<ClientInput>>

export type ServerFormat = keyof typeof serverFragments
export type ClientFormat = keyof typeof clientFragments

/** A fragment, ready to be written. */
export interface RenderedFragment {
  /** The text to print, with a newline at its end. */
  readonly content: string
  /** The document to print with `--json`: the fragment itself, or `{ format, content }` for a text. */
  readonly document: object
  /** Whether it contains a seed or a token. */
  readonly secret: boolean
  /** For stderr. */
  readonly warnings: readonly string[]
  /** For a fragment of files: all of them. The first is the content. */
  readonly files?: readonly FragmentFile[]
}

/** A fragment for the protected agent. */
export interface RenderedServerFragment extends RenderedFragment {
  /**
   * The server file or the maps in it: what the agent's library reads. Undefined when the fragment contains no peers,
   * but code or the path of a server file.
   */
  readonly agentReads?: object
}

/**
 * Makes a fragment for the protected agent.
 *
 * @throws {TOTPError} `ERR_CREDENTIAL_EXPIRED` when there is a shared seed and it has expired; `ERR_CONFIG_INVALID` when
 *   the format cannot represent a value, or when the agent would refuse peers that share a seed under `once`
 */
export async function renderServerFragment(
  format: ServerFormat,
  input: ServerInput,
): Promise<RenderedServerFragment> {
  requireSharable(input.roster)
  const fragment: Fragment<ServerInput> = serverFragments[format]
  const rendered = await render(format, fragment, input)
  const agentReads =
    fragment.kind === 'json'
      ? rendered.document
      : fragment.kind === 'text'
        ? fragment.agentReads?.(input)
        : undefined
  return { ...rendered, agentReads }
}

/**
 * Makes a fragment for one peer.
 *
 * @throws {TOTPError} `ERR_CREDENTIAL_EXPIRED` when the peer has no live seed or no live token; `ERR_CONFIG_INVALID`
 *   when the format cannot represent a value
 */
export function renderClientFragment(format: ClientFormat, input: ClientInput): Promise<RenderedFragment> {
  return render(format, clientFragments[format], input)
}

async function render<Input>(
  format: string,
  fragment: Fragment<Input>,
  input: Input,
): Promise<RenderedFragment> {
  const secret = typeof fragment.secret === 'function' ? fragment.secret(input) : fragment.secret
  const warnings = fragment.warnings?.(input) ?? []
  if (fragment.kind === 'text') {
    const content = await fragment.make(input)
    return { content, document: { format, content }, secret, warnings }
  }
  if (fragment.kind === 'files') {
    const { files, warnings: more } = await fragment.make(input)
    const [{ content }] = files
    return { content, document: { format, content, files }, secret, warnings: [...warnings, ...more], files }
  }
  const document = fragment.make(input)
  return { content: `${jsonText(document, 2)}\n`, document, secret, warnings }
}
