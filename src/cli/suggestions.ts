import { TOTPError } from '../core/errors.js'
import { didYouMean } from '../core/nearest.js'

/**
 * What people call formats, hashes, bindings and shells elsewhere, for "did you mean": the words of ours that it may
 * stand for. The first one counts that the option has.
 */
const otherNames: Readonly<Record<string, readonly string[]>> = {
  k8s: ['kubernetes'],
  kube: ['kubernetes'],
  kubectl: ['kubernetes'],
  secret: ['kubernetes'],
  yml: ['yaml', 'kubernetes', 'compose'],
  yaml: ['kubernetes', 'compose'],
  ts: ['typescript'],
  js: ['javascript', 'typescript'],
  javascript: ['typescript'],
  node: ['typescript'],
  py: ['python'],
  python3: ['python'],
  'docker-compose': ['compose'],
  docker: ['compose'],
  gha: ['github'],
  'github-actions': ['github'],
  actions: ['github'],
  dotenv: ['env'],
  '.env': ['env'],
  'env-file': ['env'],
  unit: ['systemd'],
  service: ['systemd'],
  golang: ['go'],
  text: ['pretty', 'env'],
  human: ['pretty'],
  md: ['markdown'],
  xml: ['junit'],
  prometheus: ['openmetrics'],
  prom: ['openmetrics'],
  metrics: ['openmetrics'],
  htm: ['html'],
  uri: ['uris'],
  otpauth: ['uris'],
  map: ['maps'],
  'json-rpc': ['jsonrpc'],
  rpc: ['jsonrpc'],
  http: ['rest'],
  'http+json': ['rest'],
  'sha-1': ['SHA1'],
  'sha-256': ['SHA256'],
  'sha-512': ['SHA512'],
  single: ['once'],
  'one-time': ['once'],
  '1': ['1.0'],
  v1: ['1.0'],
  pwsh: ['powershell'],
  ps1: ['powershell'],
  sh: ['bash'],
}

/** What asks for the words that some unknown ones probably mean; undefined if nothing is near. */
export const suggestion = (given: readonly string[], words: readonly string[]): string | undefined =>
  didYouMean(given, words, otherNames)

/** The error for a word that is none of those allowed. It does not quote the word, which may be anything. */
export function notOneOf(what: string, given: string, words: readonly string[], more = ''): TOTPError {
  const question = suggestion([given], words)
  return new TOTPError(
    'ERR_USAGE',
    `${what} must be one of ${words.join(', ')}${more}${question === undefined ? '' : `; ${question}`}`,
  )
}
