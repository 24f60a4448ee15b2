import { createHmac } from 'node:crypto'
import { Encrypter, generateIdentity, identityToRecipient, Stanza, type Recipient } from 'age-encryption'

/** An identity, and the recipient that goes with it. */
export interface AgeKey {
  readonly identity: string
  readonly recipient: string
}

export async function makeAgeKey(make = generateIdentity): Promise<AgeKey> {
  const identity = await make()
  return { identity, recipient: await identityToRecipient(identity) }
}

/** A file that another program encrypted; with a passphrase, at a work factor that takes no time. */
export async function encryptedBy(
  set: (encrypter: Encrypter) => void,
  content: string | Uint8Array,
): Promise<Uint8Array> {
  const encrypter = new Encrypter()
  encrypter.setScryptWorkFactor(2)
  set(encrypter)
  return encrypter.encrypt(content)
}

export const encryptedFor = (
  recipients: readonly (string | Recipient)[],
  content: string | Uint8Array,
): Promise<Uint8Array> =>
  encryptedBy((encrypter) => {
    for (const recipient of recipients) encrypter.addRecipient(recipient)
  }, content)

export const encryptedWith = (passphrase: string, content: string): Promise<Uint8Array> =>
  encryptedBy((encrypter) => {
    encrypter.setPassphrase(passphrase)
  }, content)

/** A stanza of another kind, as its plugin or the age program would write it. */
export const stanzaOf = (...args: string[]): Recipient => ({
  wrapFileKey: () => [new Stanza(args, new Uint8Array(32))],
})

/** The stanza with which a2a-totp confirms a list of recipients, as every version has to write and to read it. */
export const confirmationOf = (recipients: readonly string[]): Recipient => ({
  wrapFileKey: (fileKey) => {
    const mac = createHmac('sha256', fileKey).update(`a2a-totp recipients\n${recipients.join('\n')}`)
    return [new Stanza(['listed-recipients-grease', mac.digest('base64url')], new Uint8Array())]
  },
})

/** A file with its text changed: bytes stay what they are. */
export const edited = (file: Uint8Array, edit: (text: string) => string): Uint8Array =>
  Buffer.from(edit(Buffer.from(file).toString('latin1')), 'latin1')
