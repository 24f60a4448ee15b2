import type { Command } from 'commander'
import { TOTPError } from '../../../core/errors.js'
import type { Protection } from '../../../store/protection.js'
import type { CliContext } from '../../context.js'
import { newPassphrase } from '../../store/store-keys.js'

export interface EncryptionOptions {
  encryptTo?: string[]
  passphrase?: true
}

export const encryptionOptions = (command: Command): Command =>
  command
    .option('--encrypt-to <recipients...>', 'encrypt the store for these age recipients (age1…)')
    .option(
      '--passphrase',
      'encrypt the store with a passphrase (default: $A2A_TOTP_PASSPHRASE, else a prompt)',
    )

/** The protection that the options request; undefined if they request none. */
export async function protectionFrom(
  { env, askHidden }: CliContext,
  { encryptTo, passphrase }: EncryptionOptions,
): Promise<Protection | undefined> {
  if (encryptTo && passphrase) {
    throw new TOTPError(
      'ERR_USAGE',
      'an age file has recipients or a passphrase, not both; omit --encrypt-to or --passphrase',
    )
  }
  if (encryptTo) return { kind: 'recipients', recipients: [...new Set(encryptTo)] }
  if (passphrase) return { kind: 'passphrase', passphrase: await newPassphrase(env, askHidden) }
  return undefined
}
