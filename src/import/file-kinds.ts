interface Kind {
  readonly name: string
  /** The first bytes, as latin1. */
  readonly begins: RegExp | string
  readonly remedy: string
}

const convert = 'convert it to PNG'
const image = (name: string, begins: Kind['begins']): Kind => ({ name, begins, remedy: convert })

/** Files that people have instead of what can be read. */
const kinds: readonly Kind[] = [
  image('a JPEG image', /^\xff\xd8\xff/),
  image('a GIF image', /^GIF8/),
  image('a WebP image', /^RIFF[^]{4}WEBP/),
  image('a HEIC image', /^[^]{4}ftyp(hei|hev|mif1|msf1)/),
  image('an AVIF image', /^[^]{4}ftypavi/),
  image('a TIFF image', /^(II\*\0|MM\0\*)/),
  image('a BMP image', /^BM[^]{4}\0\0\0\0/),
  image(
    'an SVG image',
    /^(\xef\xbb\xbf)?\s*(<\?xml[^>]*>\s*)?(<!--[^]*?-->\s*)?(<!DOCTYPE svg[^>]*>\s*)?<svg[\s>]/i,
  ),
  { name: 'a PDF document', begins: /^%PDF-/, remedy: 'save the page with the QR code as PNG' },
  {
    name: 'encrypted with age',
    begins: /^age-encryption\.org\/|^-----BEGIN AGE/,
    remedy: 'decrypt it first, for example with `age -d FILE | a2a-totp import -`',
  },
  {
    name: 'encrypted with OpenPGP',
    begins: /^-----BEGIN PGP MESSAGE/,
    remedy: 'decrypt it first, for example with `gpg -d FILE | a2a-totp import -`',
  },
  { name: 'a KeePass database', begins: '\x03\xd9\xa2\x9a', remedy: 'export it as CSV' },
  {
    name: 'a backup of FreeOTP 2',
    begins: '\xac\xed\0\x05',
    remedy: 'pass its accounts as key URIs (otpauth://totp/...), one per line',
  },
  { name: 'a ZIP archive', begins: 'PK\x03\x04', remedy: 'extract it first' },
  { name: 'compressed with gzip', begins: '\x1f\x8b', remedy: 'extract it first' },
]

/** Returns what is wrong with a file of a known kind that cannot be read; undefined for any other. */
export function foreignKindOf(bytes: Uint8Array): string | undefined {
  const start = Buffer.from(bytes.subarray(0, 1024)).toString('latin1')
  const kind = kinds.find(({ begins }) =>
    typeof begins === 'string' ? start.startsWith(begins) : begins.test(start),
  )
  return kind && `this file is ${kind.name}; ${kind.remedy}`
}
