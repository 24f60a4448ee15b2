import { forge, rightParameters, withField, type ForgedRequest } from './proofs.js'

const foreign = 'sig1=("@authority" "date");created=1618884473;keyid="k"'
/** Right proofs that fields are taken from. */
export const fuzzOriginals: readonly ForgedRequest[] = [
  forge({ headers: [['Content-Type', 'application/json']] }),
  forge({ binding: 'grpc', target: '/a.B/C', headers: [['a2a-extensions', 'urn:a']] }),
  forge({ target: '/a?b', input: (member) => [`${foreign}, a2a-totp=${member}`] }),
]

/** What the grammar is made of, and what it is not. */
const pieces = [
  ...[
    ' ',
    '\t',
    '\n',
    '\r\n ',
    '\0',
    'é',
    '\u2028',
    ',',
    ', ',
    ';',
    '=',
    '(',
    ')',
    '"',
    '\\',
    ':',
    '?',
    '?1',
    '-',
    '.',
  ],
  ...[
    '*',
    '0',
    '1',
    '9'.repeat(16),
    '1.5',
    '@1',
    '%"a"',
    'a',
    'A',
    'tok',
    '""',
    '"\\""',
    ':YQ==:',
    '()',
    '("@path")',
  ],
  ...[
    'a2a-totp',
    'a2a-totp=',
    'tag="a2a-totp/proof/v1"',
    ';req',
    ';bs',
    ';alg="hmac-sha256"',
    '"@method"',
    'sig1=1, ',
  ],
  ...rightParameters,
]

export type Random = (limit: number) => number

function mutate(text: string, random: Random): string {
  const at = random(text.length + 1)
  const to = at + random(1 + random(40))
  const piece = pieces[random(pieces.length)] ?? ''
  switch (random(7)) {
    case 0:
      return text.slice(0, at) + text.slice(to)
    case 1:
      return text.slice(0, at) + piece + text.slice(at)
    case 2:
      return text.slice(0, at) + piece + text.slice(to)
    case 3:
      return text.slice(0, to) + text.slice(at)
    case 4:
      return text.slice(0, at)
    case 5:
      return text.slice(0, at) + String.fromCharCode(random(256)) + text.slice(at + 1)
    default:
      return text.slice(at, to) + text.slice(0, at) + text.slice(to)
  }
}

const invent = (random: Random): string =>
  Array.from({ length: random(30) }, () => pieces[random(pieces.length)]).join('')

/** The three fields of a proof, as lines or as what a header function in plain JavaScript may return. */
export function fuzzedProof(request: ForgedRequest, random: Random): ForgedRequest {
  const name = ['Signature-Input', 'Signature', 'Content-Digest'][random(3)] ?? ''
  const lines = request.headers.flatMap(([field, value]) => (field === name ? [value] : []))
  if (random(8) === 0) return withField(request, name, [invent(random)])
  let text = lines.join(', ')
  for (let more = 0; more <= random(3); more++) text = mutate(text, random)
  const at = random(text.length + 1)
  return withField(request, name, random(6) === 0 ? [text.slice(0, at), text.slice(at)] : [text])
}
