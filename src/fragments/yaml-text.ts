/** A key that no version of YAML takes for anything but itself. */
const plainKey = /^(?!(?:y|n|yes|no|on|off|true|false|null)$)[A-Za-z][A-Za-z0-9_]*$/i

/**
 * A text as YAML reads it back, in 1.1 and in 1.2: double-quoted, with everything escaped that is not printable
 * ASCII (YAML 1.2.2 §5.7).
 */
export function yamlText(text: string): string {
  return `"${text.replace(/["\\]|[^ -~]/gu, escaped)}"`
}

function escaped(character: string): string {
  if (character === '"' || character === '\\') return `\\${character}`
  const hex = (character.codePointAt(0) ?? 0).toString(16).toUpperCase()
  return hex.length > 4 ? `\\U${hex.padStart(8, '0')}` : `\\u${hex.padStart(4, '0')}`
}

/**
 * What JSON can hold as a YAML block, each line behind the indentation, ending in a newline. Members that are
 * undefined are left out, as JSON does.
 */
export function yamlBlock(value: object, indentation = ''): string {
  const items: [head: string, item: unknown][] = Array.isArray(value)
    ? value.map((item: unknown) => ['-', item])
    : Object.entries(value)
        .filter(([, item]) => item !== undefined)
        .map(([key, item]) => [`${plainKey.test(key) ? key : yamlText(key)}:`, item])
  return items.map(([head, item]) => `${indentation}${head}${tail(item, indentation)}`).join('')
}

function tail(item: unknown, indentation: string): string {
  if (typeof item === 'string') return ` ${yamlText(item)}\n`
  if (typeof item !== 'object' || item === null) return ` ${JSON.stringify(item)}\n`
  if (Object.keys(item).length === 0) return Array.isArray(item) ? ' []\n' : ' {}\n'
  return `\n${yamlBlock(item, `${indentation}  `)}`
}

/** Comment lines, for YAML and shells. */
export function comments(lines: readonly string[]): string {
  return lines.map((line) => (line === '' ? '#\n' : `# ${line}\n`)).join('')
}
