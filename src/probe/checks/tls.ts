import { isExposed } from '../../core/card/hosts.js'
import type { RunCheck } from './check.js'
import type { Evidence } from '../run/evidence.js'
import { failed, nothingAnswered, passed, type Verdict } from './verdict.js'

const anyHint = 'check the certificate and the TLS settings of the server'

export const tls: RunCheck = {
  id: 'tls',
  scope: 'run',
  proves: 'credentials travel encrypted',
  expects: 'https, or http on loopback',
  withoutCalls: true,
  judge: judgeTls,
  judgeSilence: ({ reason, explanation, hint = anyHint }) =>
    reason === 'tls' ? failed(explanation, hint) : nothingAnswered,
  means:
    'Token and code are sent in clear text, or there is no trusted TLS connection: the certificate has expired, is for another host name, or was issued by an unknown authority; or the agent demands a client certificate. The report names the reason. An attacker who reads token and code can use the code until it expires (policy `reuse`), and the token until it is rotated.',
  fix: [
    'Serve the agent over https. On loopback, plain http is fine.',
    'With a private certificate authority, pass its certificate with `--ca FILE`. It is trusted in addition to those that Node trusts, `NODE_EXTRA_CA_CERTS` included.',
    'If the agent demands a client certificate (mutual TLS), pass one with `--cert FILE --key FILE`.',
    'If the certificate has expired or is for another name, replace it: the probe insists on it, as clients have to.',
    'On a test network where this is acceptable, `--insecure-http` sends the credentials anyway; the check still fails.',
  ],
}

function judgeTls({ target, cells, exchanges }: Evidence): Verdict {
  const tested = cells.filter(({ cell }) => cell.untestable === undefined)
  const urls = [target, ...tested.map(({ cell }) => cell.url)]
  const exposed = urls.find(isExposed)
  if (exposed) {
    return failed(
      `plain http to ${exposed.host}`,
      'token and code can be read in transit; serve it over https',
    )
  }
  const refused = exchanges.find(({ cell, answer }) => cell !== null && answer.untrusted)
  if (refused) {
    const { summary, hint = anyHint } = refused.answer
    return failed(`${summary} at ${refused.cell?.url.host ?? ''}`, hint)
  }
  return passed(urls.every(({ protocol }) => protocol === 'https:') ? 'https' : 'http on loopback')
}
