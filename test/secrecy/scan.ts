import { createReadStream, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Seed } from '../../src/core/seed.js'
import { existsToShow, mayShow } from './exempt.js'

/** A seed or a token where none should be. Its surroundings are shown, with stars in its place. */
export interface Hit {
  readonly secret: 'seed' | 'token'
  /** Who printed it, or `raised`. */
  readonly where: string
  readonly around: string
}

export interface Scan {
  /** Seeds and tokens that were looked for. */
  readonly secrets: number
  /** Fixtures too short to tell from words. */
  readonly tooShort: number
  /** What was looked through: bytes printed, and errors raised. */
  readonly bytes: number
  readonly errors: number
  readonly hits: readonly Hit[]
}

type Note =
  | { readonly kind: 'seed' | 'token'; readonly value: string }
  | { readonly kind: 'raised'; readonly name: string; readonly text: string; readonly at?: string }
  | {
      readonly kind: 'output'
      readonly argv: readonly string[]
      readonly child: number
      readonly stream: 'stdout' | 'stderr'
      readonly text: string
    }

/** Whatever is shorter may be found by chance. */
const shortest = 16

/** Looks that anything could have: a fixture is made of one. */
const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** How a secret may look in print, without blanks: as text, hex, base64, or its bytes in decimal. */
function looksOf({ kind, value }: { kind: 'seed' | 'token'; value: string }): string[] {
  if (kind === 'token') return [value, value.replace(/^a2at_/, ''), Buffer.from(value).toString('base64url')]
  const bytes = Buffer.from(value, 'hex')
  const { base32 } = Seed.fromBytes(bytes)
  return [
    base32,
    base32.toLowerCase(),
    value,
    value.toUpperCase(),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
    bytes.join(','),
    bytes.toString('latin1').replace(/\s/g, ''),
  ]
}

/** Finds any of many texts in another, by their first letters. */
class Finder {
  readonly #byStart = new Map<string, { look: string; secret: 'seed' | 'token' }[]>()

  /** @returns whether it is long enough to be found */
  add(secret: 'seed' | 'token', looks: readonly string[]): boolean {
    const long = looks.filter((look) => look.length >= shortest && !letters.includes(look))
    for (const look of long) {
      const start = look.slice(0, shortest)
      const there = this.#byStart.get(start)
      if (!there) this.#byStart.set(start, [{ look, secret }])
      else if (!there.some((one) => one.look === look)) there.push({ look, secret })
    }
    return long.length > 0
  }

  find(text: string, where: string): Hit[] {
    const dense = text.replace(/\s+/g, '')
    const found: { begin: number; end: number; secret: 'seed' | 'token' }[] = []
    for (let begin = 0; begin + shortest <= dense.length; begin++) {
      for (const { look, secret } of this.#byStart.get(dense.slice(begin, begin + shortest)) ?? []) {
        if (dense.startsWith(look, begin)) found.push({ begin, end: begin + look.length, secret })
      }
    }
    if (found.length === 0) return []
    const characters = dense.split('')
    for (const { begin, end } of found) characters.fill('*', begin, end)
    return found.map(({ begin, end, secret }) => {
      return { secret, where, around: characters.slice(Math.max(0, begin - 60), end + 20).join('') }
    })
  }
}

/** Looks for seeds (in base32) and tokens in a text, however they are written there. */
export function findSecrets(
  text: string,
  { seeds, tokens }: { readonly seeds: readonly string[]; readonly tokens: readonly string[] },
  where: string,
): Hit[] {
  const finder = new Finder()
  const hex = (seed: string): string => Buffer.from(Seed.fromBase32(seed).bytes).toString('hex')
  for (const seed of seeds) finder.add('seed', looksOf({ kind: 'seed', value: hex(seed) }))
  for (const token of tokens) finder.add('token', looksOf({ kind: 'token', value: token }))
  return finder.find(text, where)
}

/** Looks for every seed and token in the notes of a recorded run, in what was printed and raised anywhere in it. */
export async function scan(folder: string, printed: string): Promise<Scan> {
  const finder = new Finder()
  const secrets = new Set<string>()
  let tooShort = 0
  const texts = new Map<string, string[]>([['the run itself', [printed]]])
  const raised = new Map<string, string>()
  for (const [file, note] of await notesIn(folder)) {
    if (note.kind === 'raised') {
      if (!mayShow(note.at ?? '')) raised.set(note.text, `raised: ${note.name} ${note.at ?? ''}`)
    } else if (note.kind === 'output') {
      if (note.stream === 'stdout' && existsToShow(note.argv)) continue
      const where = `${note.stream} of ${note.argv.join(' ').slice(0, 100)} (${file} ${note.child})`
      texts.set(where, [...(texts.get(where) ?? []), note.text])
    } else if (!secrets.has(note.value)) {
      secrets.add(note.value)
      if (!finder.add(note.kind, looksOf(note))) tooShort++
    }
  }
  const outputs = Array.from(texts, ([where, chunks]) => [where, chunks.join('')] as const)
  return {
    secrets: secrets.size - tooShort,
    tooShort,
    bytes: outputs.reduce((sum, [, text]) => sum + text.length, 0),
    errors: raised.size,
    hits: [...outputs, ...Array.from(raised, ([text, where]) => [where, text] as const)].flatMap(
      ([where, text]) => finder.find(text, where),
    ),
  }
}

async function notesIn(folder: string): Promise<[string, Note][]> {
  const notes: [string, Note][] = []
  for (const name of readdirSync(folder)) {
    for await (const line of createInterface({ input: createReadStream(join(folder, name)) })) {
      notes.push([name.split('-', 1)[0] ?? '', JSON.parse(line) as Note])
    }
  }
  return notes
}
