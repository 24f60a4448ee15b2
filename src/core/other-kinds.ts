/** Kinds of codes that are not TOTP as this package computes it, in lower case and without separators. */
const kindNames = new Map([
  ['hotp', 'HOTP'],
  ['steam', 'Steam'],
  ['motp', 'mOTP'],
  ['mobileotp', 'mOTP'],
  ['yandex', 'Yandex'],
  ['yaotp', 'Yandex'],
  ['md5', 'MD5'],
  ['hmacmd5', 'MD5'],
])

/** Returns the name of a kind of codes other than TOTP, or of a hash that TOTP lacks, if that is what a text says. */
export const otherKindNamed = (text: string): string | undefined =>
  kindNames.get(text.trim().toLowerCase().replace(/[-_ ]/g, ''))
