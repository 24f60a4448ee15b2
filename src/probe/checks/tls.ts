import type { RunCheck } from './check.js'
import type { Evidence } from '../run/evidence.js'
import { isExposed } from '../target/hosts.js'
import { failed, nothingAnswered, passed, type Verdict } from './verdict.js'

const untrustedHint = 'the certificate is not trusted; name its issuer with --ca FILE'

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
    'Token and code travel readable, or the certificate is not trusted. A code that was read on its way can be used for as long as it lives (policy `reuse`), and the token for good.',
  fix: [
    'Serve the agent over https. On loopback plain http is fine.',
    'A private certificate authority: name its certificate with `--ca FILE`.',
    'A test network where this is accepted: `--insecure-http` sends credentials all the same; the check still fails.',
  ],
}

function judgeTls({ target, cells, exchanges }: Evidence): Verdict {
  const tested = cells.filter(({ cell }) => cell.untestable === undefined)
  const urls = [target, ...tested.map(({ cell }) => cell.url)]
  const exposed = urls.find(isExposed)
  if (exposed) {
    return failed(
      `plain http to ${exposed.host}`,
      'token and code can be read on the way; serve it over https',
    )
  }
  const refused = exchanges.find(({ cell, answer }) => cell !== null && answer.untrusted)
  if (refused) {
    return failed(`${refused.answer.summary} at ${refused.cell?.url.host ?? ''}`, untrustedHint)
  }
  return passed(urls.every(({ protocol }) => protocol === 'https:') ? 'https' : 'http on loopback')
}
