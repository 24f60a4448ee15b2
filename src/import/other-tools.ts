import { isObject } from '../core/json.js'
import type { Fields } from './fields.js'

/** How to recognise the exports of a tool: by one entry, by the document, or by the columns of CSV. */
interface Tool {
  readonly name: string
  readonly entry?: (fields: Fields) => boolean
  readonly document?: (fields: Fields) => boolean
  readonly columns?: readonly string[]
}

/** Tools whose own formats cannot be imported yet. All of them can export or show key URIs. */
const tools: readonly Tool[] = [
  {
    name: 'Aegis',
    entry: ({ info }) => isObject(info) && 'secret' in info,
    document: ({ db, header }) => db !== undefined && isObject(header),
  },
  {
    name: '2FAS',
    entry: ({ secret, otp }) => secret !== undefined && isObject(otp),
    document: ({ services, schemaVersion }) => Array.isArray(services) || schemaVersion !== undefined,
  },
  {
    name: 'Bitwarden',
    entry: ({ login }) => isObject(login),
    document: ({ items, encrypted }) => Array.isArray(items) || encrypted !== undefined,
    columns: ['login_totp'],
  },
  {
    name: 'andOTP',
    entry: ({ secret, label, thumbnail, used_frequency: used }) =>
      secret !== undefined && label !== undefined && (thumbnail ?? used) !== undefined,
  },
  {
    name: 'FreeOTP',
    entry: ({ secret }) => Array.isArray(secret),
    document: ({ tokens, tokenOrder }) => Array.isArray(tokens) && Array.isArray(tokenOrder),
  },
  { name: 'Ente', document: ({ kdfParams, encryptedData }) => (kdfParams ?? encryptedData) !== undefined },
  { name: 'KeePassXC', columns: ['title', 'totp'] },
]

/** Returns the tool that an entry seems to come from. */
export const toolOfEntry = (fields: Fields): string | undefined =>
  tools.find(({ entry }) => entry?.(fields))?.name

/** Returns the tool that a JSON document seems to come from. */
export const toolOfDocument = (fields: Fields): string | undefined =>
  tools.find(({ document }) => document?.(fields))?.name

/** Returns the tool that CSV with these column names, in lower case, seems to come from. */
export const toolOfColumns = (names: readonly string[]): string | undefined =>
  tools.find(({ columns }) => columns?.every((column) => names.includes(column)))?.name

/** Returns the message for a known tool. */
export const cannotRead = (tool: string): string =>
  `this looks like an export of ${tool}, which import cannot read yet; pass its accounts as key URIs (otpauth://totp/...), one per line`
