import { TOTPError } from '../../../core/errors.js'
import { isLoopback, parseHttpUrl } from '../../../core/url.js'
import { clientFragments, type ClientFormat } from '../../../fragments/index.js'
import type { CliContext } from '../../context.js'
import { pathFrom } from '../../io/path.js'
import { requireHttpUrl } from '../../options.js'
import { notOneOf } from '../../suggestions.js'
import type { GivenStagedOptions } from './given-options.js'

/** The options of a rotation with a delivery, complete, with absolute paths: what is remembered for `--resume`. */
export interface StagedOptions {
  /** Where the commands run. */
  readonly cwd: string
  readonly deliver?: string
  readonly format: ClientFormat
  readonly serverOut?: string
  readonly deliverServer?: string
  readonly prove?: string
  /** In seconds. */
  readonly wait: number
  /** In seconds. */
  readonly timeout: number
  readonly allowHost?: readonly string[]
  readonly insecureHttp?: true
  readonly ca?: string
  readonly allowWeakSeed?: true
}

/**
 * Completes what was given, on top of what is remembered.
 *
 * @throws {TOTPError} `ERR_USAGE` for a URL that cannot be probed; `ERR_INSECURE_TRANSPORT` for one over plain http beyond
 *   loopback
 */
export function completed(
  { cwd }: CliContext,
  given: GivenStagedOptions,
  remembered?: StagedOptions,
): StagedOptions {
  const { deliver, deliverServer, prove, wait, timeout, allowHost, insecureHttp, allowWeakSeed } = given
  const { serverOut, ca, format } = given
  const own = { deliver, deliverServer, prove, wait, timeout, allowHost, insecureHttp, allowWeakSeed }
  const options: StagedOptions = {
    ...{ format: 'env', wait: 60, timeout: 60 },
    ...remembered,
    ...Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined)),
    ...(format === undefined ? {} : { format: secretFormat(format) }),
    // A command that is given anew is meant for the folder that it is given in.
    cwd: remembered && (deliver ?? deliverServer) === undefined ? remembered.cwd : cwd,
    ...(serverOut === undefined ? {} : { serverOut: pathFrom({ cwd }, serverOut) }),
    ...(ca === undefined ? {} : { ca: pathFrom({ cwd }, ca) }),
  }
  requireUsable(options)
  return options
}

/** The formats with credentials in them, for shells. */
export const formatOffers = Object.entries(clientFragments).flatMap(([word, { secret, summary }]) =>
  secret ? { word: word as ClientFormat, description: summary } : [],
)

/** @throws {TOTPError} `ERR_USAGE` for a format that does not exist, or has no credentials in it */
function secretFormat(format: string): ClientFormat {
  const formats = formatOffers.map(({ word }) => word)
  const known = formats.find((name) => name === format)
  if (known) return known
  throw notOneOf('--format', format, formats)
}

function requireUsable({ prove, insecureHttp }: StagedOptions): void {
  if (prove === undefined) return
  requireHttpUrl('--prove', prove)
  const url = parseHttpUrl(prove)
  if (!url || insecureHttp || url.protocol === 'https:' || isLoopback(url)) return
  throw new TOTPError(
    'ERR_INSECURE_TRANSPORT',
    '--prove would send credentials over plain http beyond loopback; use https, or pass --insecure-http',
  )
}
