import { isUnverified, type Protection } from '../store/protection.js'
import type { Finding } from './finding.js'

/** Whether an encrypted store bears out the recipients that are listed in it. No command rewrites one that does not. */
export function auditProtection(path: string, protection: Protection): Finding[] {
  if (!isUnverified(protection)) return []
  return [
    {
      id: 'recipients-unverified',
      severity: 'serious',
      subject: path,
      message:
        'it was encrypted elsewhere, for others than it lists as far as can be told; no command rewrites it',
      fix:
        protection.kind === 'passphrase'
          ? 'a2a-totp encrypt --passphrase, or --encrypt-to with everybody who may open it'
          : 'a2a-totp recipients add age1…, with everybody else who may open it',
    },
  ]
}
