import { isUnverified, type Protection } from '../store/protection.js'
import type { Finding } from './finding.js'

/** Checks that an encrypted store matches the recipients listed in it. No command rewrites a store that does not. */
export function auditProtection(path: string, protection: Protection, tool = 'a2a-totp'): Finding[] {
  if (!isUnverified(protection)) return []
  return [
    {
      id: 'recipients-unverified',
      severity: 'serious',
      subject: path,
      message:
        'it was encrypted elsewhere, apparently for recipients that it does not list; no command rewrites it',
      fix:
        protection.kind === 'passphrase'
          ? `${tool} encrypt --passphrase`
          : `${tool} recipients add age1…, with every recipient`,
    },
  ]
}
