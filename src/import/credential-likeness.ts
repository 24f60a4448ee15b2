/** Parts of a key, in lower case and without separators, that mark its value as a credential. */
const telling =
  /secret|seed|(?<!fo)otp|token|key(?!word|board|note)|passw|passphrase|passcode|bearer|credential|authent|authori[sz]|oauth|oath|base32|base64|counter|hmac|hash(?!tag)|cookie|cipher|encrypted|vault|2fa|2factor|twofactor|secondfactor|qrcode/

/** Words that mark it only when they stand alone: `author` is not `auth`. */
const tellingWords = new Set(
  'auth pass pw pwd pin cred creds code codes jwt mfa psk b32 b64 hex bytes qr steam'.split(' '),
)

/** Returns whether a key suggests that its value is a seed, a token or another credential. */
export function isCredentialKey(key: string): boolean {
  const spaced = key.normalize('NFKC').replace(/([a-z0-9])([A-Z])/g, '$1 $2')
  const words = spaced.toLowerCase().split(/[^\p{L}\p{N}]+/u)
  return telling.test(words.join('')) || words.some((word) => tellingWords.has(word))
}

const looks: readonly RegExp[] = [
  /otpauth|\bsecret\s*=/i,
  /^bearer\s|^a2at_|^sha256:|^eyJ[\w-]+\./i,
  // Base32 of at least 80 bits, in one piece or in groups of four.
  /^[A-Z2-7]{16,}=*$/i,
  /^([A-Z2-7]{4}[ -]){3,}[A-Z2-7]{1,4}=*$/i,
  // Hex of at least 128 bits.
  /^([0-9a-f]{2}[ :]?){16,}$/i,
  // Random base64: no word has upper case, lower case and digits.
  /^(?=.*[0-9])(?=.*[a-z])(?=.*[A-Z])[A-Za-z0-9+/_=-]{22,}$/,
]

/** Returns whether a text looks like a key URI, a seed or a token, whatever its key. */
export function isCredentialText(text: string): boolean {
  const trimmed = text.trim()
  return looks.some((look) => look.test(trimmed))
}

const fewestBytes = 10

/** Returns whether a list looks like the signed or unsigned bytes of a key. */
export function isCredentialBytes(list: readonly unknown[], fewest = fewestBytes): boolean {
  return (
    list.length >= fewest &&
    list.every((one) => Number.isInteger(one) && (one as number) >= -128 && (one as number) <= 255)
  )
}
