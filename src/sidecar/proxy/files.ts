import { TOTPError } from '../../core/errors.js'
import type { UpstreamOptions } from '../forward/upstream.js'
import { readNamedFile } from '../named-file.js'
import { isPathToken, type LocalAuth } from './local-auth.js'
import type { ProxiedAgent } from './options.js'

/**
 * Reads the token of `--local-token-file`.
 *
 * @throws {TOTPError} `ERR_CONFIG_INVALID` if no file is named, or it is empty or unusable; `ERR_FILE_UNREADABLE`
 */
export function readLocalAuth({
  localAuth: kind,
  localTokenFile: path,
}: Pick<ProxiedAgent, 'localAuth' | 'localTokenFile'>): LocalAuth {
  if (kind === 'none') return { kind }
  if (path === undefined) {
    throw invalid(
      `--local-auth ${kind} needs --local-token-file, a file with the token that clients of this machine send`,
    )
  }
  const token = readNamedFile('--local-token-file', path).toString('utf8').trim()
  if (token === '') throw invalid(`--local-token-file ${path} is empty; write a token into it`)
  if (kind === 'url' && !isPathToken(token)) {
    throw invalid(
      `the token in --local-token-file ${path} cannot be a segment of a path; use letters, digits and -._~`,
    )
  }
  if (!/^[!-~]+$/.test(token)) {
    throw invalid(
      `the token in --local-token-file ${path} has characters that no header may have; use letters and digits`,
    )
  }
  return { kind, token }
}

/**
 * Reads the certificates for the connection to the agent.
 *
 * @throws {TOTPError} `ERR_FILE_UNREADABLE`; `ERR_CONFIG_INVALID` if there is no authority in the file
 */
export function readTls({
  caFile,
  certFile,
  keyFile,
}: Pick<ProxiedAgent, 'caFile' | 'certFile' | 'keyFile'>): UpstreamOptions {
  return {
    ...(caFile === undefined ? {} : { ca: authoritiesIn(caFile) }),
    ...(certFile === undefined ? {} : { cert: readNamedFile('--cert', certFile) }),
    ...(keyFile === undefined ? {} : { key: readNamedFile('--key', keyFile) }),
  }
}

/** Node takes a file without any certificate, and then trusts nobody: each call would fail, and not say why. */
function authoritiesIn(path: string): Buffer {
  const ca = readNamedFile('--ca', path)
  if (ca.includes('-----BEGIN CERTIFICATE-----') || ca.includes('-----BEGIN TRUSTED CERTIFICATE-----'))
    return ca
  throw invalid(`--ca ${path} has no certificate in PEM, which begins with -----BEGIN CERTIFICATE-----`)
}

function invalid(message: string): TOTPError {
  return new TOTPError('ERR_CONFIG_INVALID', message)
}
