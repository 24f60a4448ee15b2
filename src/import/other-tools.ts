import { asList, asObject, asText, isObject } from '../core/json.js'
import { entryOf, type Account, type Entry } from './entry.js'
import { invalidImport, type Fields } from './fields.js'
import { readAccount, type ForeignAccount } from './foreign-account.js'

/** How to recognise and read the exports of a tool. */
interface Tool {
  readonly name: string
  /** Whether a document is the whole export. */
  readonly document?: (document: Fields) => boolean
  /** Whether the export is encrypted, and how to get one that is not. */
  readonly encrypted?: (document: Fields) => boolean
  readonly inPlainText?: string
  /** Where its accounts are. */
  readonly accounts?: (document: Fields) => { readonly path: string; readonly list: readonly unknown[] }
  /** Whether an object is one account. */
  readonly entry?: (entry: Fields) => boolean
  /** Columns of CSV, in lower case, that it is recognised by. */
  readonly columns?: readonly string[]
  /** Reads one account, or one line of CSV. Without a seed it is an entry for something else, such as a password. */
  readonly account: (entry: Fields) => ForeignAccount
}

const tools: readonly Tool[] = [
  {
    name: 'Aegis',
    document: ({ db, header }) => db !== undefined && isObject(header),
    encrypted: ({ db }) => typeof db === 'string',
    inPlainText: 'export it without encryption',
    accounts: ({ db }) => ({ path: 'db.entries', list: asList(asObject(db)['entries']) }),
    entry: ({ info }) => isObject(info) && 'secret' in info,
    account: ({ name, issuer, type, info }) => {
      const { secret, algo, digits, period } = asObject(info)
      return {
        label: asText(name) || issuer,
        issuer,
        kind: type,
        seed: secret,
        algorithm: algo,
        digits,
        period,
      }
    },
  },
  {
    name: '2FAS',
    document: ({ services, servicesEncrypted, schemaVersion }) =>
      Array.isArray(services) || servicesEncrypted !== undefined || schemaVersion !== undefined,
    encrypted: ({ servicesEncrypted }) => asText(servicesEncrypted) !== '',
    inPlainText: 'export it without a password',
    accounts: ({ services }) => ({ path: 'services', list: asList(services) }),
    entry: ({ secret, otp }) => secret !== undefined && isObject(otp),
    account: ({ name, secret, otp }) => {
      const { account, issuer, tokenType, algorithm, digits, period } = asObject(otp)
      const label = asText(account) || name
      return {
        ...{ label, issuer: asText(issuer) || name, kind: tokenType, seed: secret },
        ...{ algorithm, digits, period },
      }
    },
  },
  {
    name: 'Bitwarden',
    document: ({ items, encrypted }) => Array.isArray(items) || encrypted !== undefined,
    encrypted: ({ encrypted }) => encrypted === true,
    inPlainText: 'export it as JSON that is not encrypted',
    accounts: ({ items }) => ({ path: 'items', list: asList(items) }),
    entry: ({ login }) => isObject(login),
    columns: ['login_totp'],
    account: ({ name, login, login_totp: cell }) => ({ label: name, seed: asObject(login)['totp'] ?? cell }),
  },
  {
    name: 'andOTP',
    entry: ({ secret, label, thumbnail, used_frequency: used, last_used: last }) =>
      secret !== undefined && label !== undefined && (thumbnail ?? used ?? last) !== undefined,
    account: ({ label, issuer, type, secret, algorithm, digits, period }) => ({
      ...{ label: asText(label) || issuer, issuer, kind: type, seed: secret },
      ...{ algorithm, digits, period },
    }),
  },
  {
    name: 'FreeOTP',
    document: ({ tokens, tokenOrder }) => Array.isArray(tokens) && Array.isArray(tokenOrder),
    accounts: ({ tokens }) => ({ path: 'tokens', list: asList(tokens) }),
    entry: ({ secret }) => Array.isArray(secret),
    account: ({ label, issuerExt, issuerInt, type, secret, algo, digits, period }) => {
      const issuer = asText(issuerExt) || issuerInt
      return {
        ...{ label: asText(label) || issuer, issuer, kind: type, seed: secret },
        ...{ algorithm: algo, digits, period },
      }
    },
  },
  {
    name: 'Ente Auth',
    document: ({ kdfParams, encryptedData }) => (kdfParams ?? encryptedData) !== undefined,
    encrypted: () => true,
    inPlainText: 'export it as plain text',
    account: () => ({ label: undefined, seed: undefined }),
  },
  {
    name: 'KeePassXC',
    columns: ['title', 'totp'],
    account: ({ title, totp }) => ({ label: title, seed: totp }),
  },
  {
    name: '1Password',
    columns: ['title', 'otpauth'],
    account: ({ title, otpauth }) => ({ label: title, seed: otpauth }),
  },
]

/** Reads the export of another tool; undefined if the document is none. */
export function readToolDocument(document: Fields): Entry[] | undefined {
  const tool = tools.find((one) => one.document?.(document))
  if (tool === undefined) return undefined
  if (tool.encrypted?.(document))
    throw invalidImport(`this is an encrypted export of ${tool.name}; ${tool.inPlainText}`)
  const { path, list } = tool.accounts?.(document) ?? { path: '', list: [] }
  return readAll(
    tool,
    list.map((one, index) => [`${path}[${index}]`, asObject(one)] as const),
  )
}

/** A reader of the lines of CSV with these column names, in lower case, if they are those of another tool. */
export function toolOfColumns(
  names: readonly string[],
): ((lines: readonly (readonly [where: string, line: Fields])[]) => Entry[]) | undefined {
  const tool = tools.find(({ columns }) => columns?.every((column) => names.includes(column)))
  return tool && ((lines) => readAll(tool, lines))
}

/** Reads one account that is not inside an export, such as one of a list; undefined if it is of no known tool. */
export function readToolEntry(fields: Fields): Account | undefined {
  const tool = tools.find(({ entry }) => entry?.(fields))
  if (tool === undefined) return undefined
  const own = ['seed', 'token', 'uri'].find((key) => Object.hasOwn(fields, key))
  if (own !== undefined)
    throw invalidImport(
      `this looks like an account of ${tool.name}, and has the key "${own}" as well; remove one`,
    )
  const account = tool.account(fields)
  if (isEmpty(account)) throw invalidImport(`this looks like an item of ${tool.name} without a TOTP seed`)
  return readAccount(account)
}

function readAll(tool: Tool, list: readonly (readonly [where: string, entry: Fields])[]): Entry[] {
  const entries = list.flatMap(([where, entry]) => {
    const account = tool.account(entry)
    // A vault is mostly passwords; those are not accounts that were overlooked.
    if (isEmpty(account) && account.kind === undefined) return []
    return [entryOf(where, () => readAccount(account))]
  })
  if (entries.length > 0) return entries
  throw invalidImport(`there is no TOTP account in this export of ${tool.name}`)
}

const isEmpty = ({ seed }: ForeignAccount): boolean => seed === undefined || seed === null || seed === ''
