import { parse } from 'yaml'

export interface TapTest {
  readonly ok: boolean
  readonly number: number
  readonly name: string
  readonly directive?: { readonly word: string; readonly reason: string }
  readonly diagnostics?: Record<string, unknown>
}

export interface TapDocument {
  readonly planned: number
  readonly comments: readonly string[]
  readonly tests: readonly TapTest[]
}

/** Reads a flat TAP 14 document (https://testanything.org/tap-version-14-specification.html). Throws for any other line. */
export function parseTap(text: string): TapDocument {
  const [version, ...lines] = text.replace(/\n$/, '').split('\n')
  if (version !== 'TAP version 14') throw new Error(`no version: ${version ?? ''}`)
  let planned = NaN
  const comments: string[] = []
  const tests: TapTest[] = []
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? ''
    const plan = /^1\.\.(\d+)$/.exec(line)
    const point = /^(not )?ok (\d+) - (.*)$/.exec(line)
    if (plan) planned = Number(plan[1])
    else if (line.startsWith('# ') && !/^# Subtest\b/.test(line)) comments.push(line.slice(2))
    else if (point)
      tests.push({ ok: point[1] === undefined, number: Number(point[2]), ...named(point[3] ?? '') })
    else if (line === '  ---') {
      const end = lines.indexOf('  ...', index)
      const yaml = lines.slice(index + 1, end).map((one) => one.replace(/^ {2}/, ''))
      const last = tests.pop()
      if (!last) throw new Error('diagnostics without a test')
      tests.push({ ...last, diagnostics: parse(yaml.join('\n')) as Record<string, unknown> })
      index = end
    } else throw new Error(`not TAP: ${line}`)
  }
  return { planned, comments, tests }
}

function named(rest: string): Pick<TapTest, 'name' | 'directive'> {
  const plain = (text: string): string => text.replace(/\\([\\#])/g, '$1')
  const cut = /^((?:[^\\#]|\\.)*?) # (\S+) (.*)$/.exec(rest)
  if (!cut) return { name: plain(rest) }
  return { name: plain(cut[1] ?? ''), directive: { word: cut[2] ?? '', reason: plain(cut[3] ?? '') } }
}
