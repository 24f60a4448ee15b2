import { TOTPError } from '../core/errors.js'
import { jsonText } from '../core/text.js'
import { defaultAddresses, defaultFront, shownAddress, type FrontAddress } from './front-addresses.js'
import type { FragmentFile, FragmentFiles, ServerInput } from './fragment.js'
import { frontWarnings, gateListens, gateOptions } from './front-gate.js'
import { frontSources, type FrontSource } from './front-sources.js'

/**
 * The files of a proxy's configuration. With its templates it is a bundle of its own, so that other commands do not load it.
 *
 * @param names of the files, the main one first
 * @throws {TOTPError} `ERR_USAGE`, `ERR_CONFIG_INVALID` where the proxy would not take the name of the file, or the header
 */
export function frontFiles(
  names: readonly [FrontSource, ...FrontSource[]],
  input: ServerInput,
): FragmentFiles {
  const [main, ...others] = names
  const mainName = input.mainName ?? main
  if (main.endsWith('.yaml') && !/\.ya?ml$/.test(mainName))
    throw new TOTPError('ERR_USAGE', '--out must end in .yaml: the program goes by it')
  const values = valuesOf(input, mainName, others[0] ?? '')
  const file = (name: string, source: FrontSource): FragmentFile => ({
    name,
    content: fill(frontSources[source], values),
  })
  const files = [file(mainName, main), ...others.map((name) => file(name, name))] as const
  return { files, warnings: frontWarnings(main, input) }
}

type Values = Readonly<Record<string, string | boolean>>

function valuesOf(input: ServerInput, main: string, other: string): Values {
  const { roster, front, frontToken: token } = input
  const { header } = roster.profile
  // nginx ignores fields with other characters, so codes in them would not arrive.
  if (!/^[A-Za-z0-9-]+$/.test(header))
    throw new TOTPError(
      'ERR_CONFIG_INVALID',
      'the header of the codes has characters that proxies drop; use letters, digits and hyphens: a2a-totp set --header X-TOTP',
    )
  const { listen, gate, agent, card = agent, grpc, gateGrpc } = front ?? defaultAddresses
  return {
    AGENT: `"${roster.agent}"`,
    SECRECY: token === undefined ? 'Not secret.' : 'Secret: it has the token that the gate asks for.',
    GATE_OPTIONS: gateOptions(input),
    TOKEN: token ?? '',
    HEADER: header,
    HEADER_LOWER: header.toLowerCase(),
    MAIN: jsonText(main),
    OTHER: other,
    ...address('LISTEN', listen),
    ...address('GATE', gate),
    ...address('AGENT_AT', agent),
    ...address('CARD', card),
    ...address('LISTEN_GRPC', grpc?.listen ?? defaultFront.listenGrpc),
    ...address('AGENT_GRPC', grpc?.agent ?? defaultFront.agentGrpc),
    ...address('GATE_GRPC', gateGrpc ?? gate),
    GATE_LISTEN: shownAddress(gateListens(gate)),
    GATE_GRPC_LISTEN: shownAddress(gateListens(gateGrpc ?? gate)),
    grpc: grpc !== undefined,
    'grpc-check': gateGrpc !== undefined,
    'http-check': gateGrpc === undefined,
    token: token !== undefined,
    'grpc-token': token !== undefined && grpc !== undefined,
    'grpc-check-token': token !== undefined && gateGrpc !== undefined,
    'http-check-token': token !== undefined && gateGrpc === undefined,
  }
}

const address = (name: string, at: FrontAddress): Values => ({
  [name]: shownAddress(at),
  [`${name}_HOST`]: at.host,
  [`${name}_PORT`]: String(at.port),
})

/**
 * Fills a template: `@NAME@` is replaced by the value, and lines between `#? NAME` and `#? end` are there only if the value
 * is true. Such parts do not contain each other.
 */
function fill(template: string, values: Values): string {
  let wanted = true
  const lines = template.split('\n').filter((line) => {
    const [, condition] = /^#\? (\S+)$/.exec(line) ?? []
    if (condition === undefined) return wanted
    wanted = condition === 'end' || values[condition] === true
    return false
  })
  return lines.join('\n').replaceAll(/@([A-Z_]+)@/g, (_, name: string) => String(values[name]))
}
