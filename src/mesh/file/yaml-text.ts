import { jsonText } from '../../core/text.js'

/** A value of a mesh file. An undefined field is left out. */
export type YamlValue = string | number | readonly YamlValue[] | YamlMap
export interface YamlMap {
  readonly [key: string]: YamlValue | undefined
}

/** Words that some YAML parsers read as something else than text. */
const notText = /^(?:true|false|yes|no|on|off|y|n|null)$/i
const widest = 100

/**
 * Returns lines of YAML for the fields of a map: one line for each field that fits, in the order given. Text is in quotes
 * and escaped where it is not plain ASCII without a meaning in YAML, a terminal or a CI runner.
 */
export function yamlLines(map: YamlMap, indent = 0): string[] {
  const margin = ' '.repeat(indent)
  return Object.entries(map).flatMap(([key, value]) => {
    if (value === undefined) return []
    const start = `${margin}${scalarText(key)}:`
    const flow = `${start} ${flowText(value)}`
    const nested = typeof value === 'object' && !fitsOneLine(value, flow)
    if (!nested) return [flow]
    if (!isList(value)) return [start, ...yamlLines(value, indent + 2)]
    return [start, ...value.map((item) => `${margin}  - ${flowText(item)}`)]
  })
}

/** Returns text as YAML of one line. */
export function scalarText(text: string): string {
  const isPlain =
    /^(?:[A-Za-z/]|\.\.?\/)(?:[A-Za-z0-9._/@%+=-]|:(?=\/\/|[0-9]))*$/.test(text) && !notText.test(text)
  return isPlain ? text : jsonText(text)
}

function flowText(value: YamlValue): string {
  if (typeof value === 'number') return String(value)
  if (typeof value === 'string') return scalarText(value)
  if (isList(value)) return `[${value.map(flowText).join(', ')}]`
  const fields = Object.entries(value).flatMap(([key, field]) =>
    field === undefined ? [] : [`${scalarText(key)}: ${flowText(field)}`],
  )
  return `{${fields.join(', ')}}`
}

const isList = (value: YamlValue): value is readonly YamlValue[] => Array.isArray(value)

/** A list of words does, and what is empty. */
const fitsOneLine = (value: YamlMap | readonly YamlValue[], line: string): boolean =>
  isEmpty(value) ||
  (isList(value) && line.length <= widest && value.every((item) => typeof item !== 'object'))

const isEmpty = (value: YamlMap | readonly YamlValue[]): boolean => Object.keys(value).length === 0
