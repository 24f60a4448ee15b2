import { isObject, type Fields } from './fields.js'

/** How the exports of a tool are recognised: one entry, the whole document, or the columns of CSV. */
interface Tool {
  readonly name: string
  readonly entry?: (fields: Fields) => boolean
  readonly document?: (fields: Fields) => boolean
  readonly columns?: readonly string[]
}

/** Tools whose own formats cannot be read yet. All of them can export key URIs, or show them. */
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

/** The tool that an entry seems to come from. */
export const toolOfEntry = (fields: Fields): string | undefined =>
  tools.find(({ entry }) => entry?.(fields))?.name

/** The same of a whole document. */
export const toolOfDocument = (fields: Fields): string | undefined =>
  tools.find(({ document }) => document?.(fields))?.name

/** The same of the first line of CSV, in lower case. */
export const toolOfColumns = (names: readonly string[]): string | undefined =>
  tools.find(({ columns }) => columns?.every((column) => names.includes(column)))?.name

/** What to say when the tool is known. */
export const cannotRead = (tool: string): string =>
  `this looks like an export of ${tool}, which import cannot read yet; give its accounts as key URIs (otpauth://totp/...), one a line`
