import type { RunCheck } from './check.js'
import type { Evidence } from '../run/evidence.js'
import { isExposed } from '../target/hosts.js'
import { failed, nothingAnswered, passed, type Verdict } from './verdict.js'

const untrustedHint = 'the certificate is not trusted; pass its issuer with --ca FILE'

export const tls: RunCheck = {
  id: 'tls',
  scope: 'run',
  proves: 'credentials travel encrypted',
  expects: 'https, or http on loopback',
  withoutCalls: true,
  judge: judgeTls,
  judgeSilence: ({ reason, explanation }) =>
    reason === 'tls' ? failed(explanation, untrustedHint) : nothingAnswered,
  means:
    'Token and code are sent in clear text, or the certificate is not trusted. An attacker who reads them can use the code until it expires (policy `reuse`), and the token until it is rotated.',
  fix: [
    'Serve the agent over https. On loopback, plain http is fine.',
    'With a private certificate authority, pass its certificate with `--ca FILE`.',
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
    return failed(`${refused.answer.summary} at ${refused.cell?.url.host ?? ''}`, untrustedHint)
  }
  return passed(urls.every(({ protocol }) => protocol === 'https:') ? 'https' : 'http on loopback')
}
