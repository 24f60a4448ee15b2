/** Parts of a key's name, written together in lower case, that say what its value is for. */
const telling =
  /secret|seed|(?<!fo)otp|token|key(?!word|board|note)|passw|passphrase|passcode|bearer|credential|authent|authori[sz]|oauth|oath|base32|base64|counter|hmac|hash(?!tag)|cookie|cipher|encrypted|vault|2fa|2factor|twofactor|secondfactor|qrcode/

/** Words that say it only when they stand alone: `author` is no `auth`. */
const tellingWords = new Set(
  'auth pass pw pwd pin cred creds code codes jwt mfa psk b32 b64 hex bytes qr steam'.split(' '),
)

/** Whether a key sounds as if its value were a seed, a token, or something else to get in with. */
export function isCredentialKey(key: string): boolean {
  const spaced = key.normalize('NFKC').replace(/([a-z0-9])([A-Z])/g, '$1 $2')
  const words = spaced.toLowerCase().split(/[^\p{L}\p{N}]+/u)
  return telling.test(words.join('')) || words.some((word) => tellingWords.has(word))
}

const looks: readonly RegExp[] = [
  /otpauth|\bsecret\s*=/i,
  /^bearer\s|^a2at_|^sha256:|^eyJ[\w-]+\./i,
  // Base32 of 80 bits and more, in one piece or in groups of four.
  /^[A-Z2-7]{16,}=*$/i,
  /^([A-Z2-7]{4}[ -]){3,}[A-Z2-7]{1,4}=*$/i,
  // Hex of 128 bits and more.
  /^([0-9a-f]{2}[ :]?){16,}$/i,
  // Base64 of what is random: no word has capitals, small letters and digits.
  /^(?=.*[0-9])(?=.*[a-z])(?=.*[A-Z])[A-Za-z0-9+/_=-]{22,}$/,
]

/** Whether a text itself looks like a key URI, a seed or a token, whatever its key is called. */
export function isCredentialText(text: string): boolean {
  const trimmed = text.trim()
  return looks.some((look) => look.test(trimmed))
}

const fewestBytes = 10

/** Whether a list looks like the bytes of a key, signed or not. */
export function isCredentialBytes(list: readonly unknown[]): boolean {
  return (
    list.length >= fewestBytes &&
    list.every((one) => Number.isInteger(one) && (one as number) >= -128 && (one as number) <= 255)
  )
}
