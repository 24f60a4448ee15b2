import packageJson from '../../../package.json' with { type: 'json' }
import type { FieldLine } from './raw-answer.js'

/** The header line that says who asks, which firewalls demand; none where the lines of a request have one. */
export function userAgentLines(fields: readonly FieldLine[]): readonly FieldLine[] {
  const isNamed = fields.some(([name]) => name.toLowerCase() === 'user-agent')
  return isNamed ? [] : [['User-Agent', `a2a-totp/${packageJson.version}`]]
}
