import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'
import { splitLabel } from '../core/key-uri.js'
import type { Algorithm, Digits } from '../core/profile.js'
import { Seed } from '../core/seed.js'
import type { Batches, Part } from './batches.js'
import { entryOf, type Entry } from './entry.js'
import { invalidImport } from './fields.js'
import { otherKind } from './other-kinds.js'

/** One account of Google Authenticator's export; enums are the numbers of its protobuf schema. */
interface MigratedAccount {
  secret: Uint8Array
  name: string
  issuer: string
  algorithm: number
  digits: number
  type: number
}

const [hotp, totp, md5] = [1, 2, 4]
/** 0 is unspecified, which means SHA1 and six digits. */
const algorithms: Readonly<Record<number, Algorithm>> = { 0: 'SHA1', 1: 'SHA1', 2: 'SHA256', 3: 'SHA512' }
const digitCounts: Readonly<Record<number, Digits>> = { 0: 6, 1: 6, 2: 8 }

/** Returns whether a line is an `otpauth-migration:` URI. */
export function isMigration(line: string): boolean {
  return /^otpauth-migration:/i.test(line)
}

/** Reads the accounts of an `otpauth-migration://offline?data=…` URI, and which part of an export it is. */
export function readMigration(line: string, where: string, batches: Batches): Entry[] {
  let accounts: MigratedAccount[]
  try {
    const payload = payloadOf(line)
    accounts = batches.add(where, payload.part, payload.data) ? payload.accounts : []
  } catch {
    // The cause is dropped on purpose: it may quote part of the data.
    const problem = 'cannot read this otpauth-migration URI; export the accounts again'
    return [{ where, problem }]
  }
  return accounts.map((account, index) =>
    entryOf(`${where}, account ${index + 1}`, () => {
      const { secret, name, issuer, type } = account
      if (type !== totp) throw otherKind(type === hotp ? 'hotp' : undefined)
      if (account.algorithm === md5) throw otherKind('md5')
      const [algorithm, digits] = [algorithms[account.algorithm], digitCounts[account.digits]]
      if (!algorithm || !digits)
        throw invalidImport('this account has an unsupported algorithm or number of digits')
      // The app writes the issuer in front of the account.
      const [inLabel, label] = splitLabel(name)
      const request = { seed: Seed.fromBytes(secret), algorithm, digits, period: 30 }
      return { label, issuer: issuer || inLabel, request }
    }),
  )
}

function payloadOf(line: string): { accounts: MigratedAccount[]; part: Part; data: string } {
  const given = new URL(line).searchParams.get('data')
  if (!given) throw invalidImport('no data')
  // A plus that was not escaped has become a space.
  const data = given.replaceAll(' ', '+')
  const reader = new BinaryReader(Buffer.from(data, 'base64'))
  const accounts: MigratedAccount[] = []
  const part = { id: 0, size: 1, index: 0 }
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag()
    if (field === 1 && wireType === WireType.LengthDelimited) accounts.push(accountIn(reader.bytes()))
    else if (field === 3) part.size = reader.int32()
    else if (field === 4) part.index = reader.int32()
    else if (field === 5) part.id = reader.int32()
    else reader.skip(wireType, field)
  }
  if (accounts.length === 0) throw invalidImport('no accounts')
  if (part.size > 1 && (part.index < 0 || part.index >= part.size)) throw invalidImport('no such part')
  return { accounts, part, data }
}

function accountIn(bytes: Uint8Array): MigratedAccount {
  const account = { secret: new Uint8Array(), name: '', issuer: '', algorithm: 0, digits: 0, type: 0 }
  const reader = new BinaryReader(bytes)
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag()
    if (field === 1) account.secret = new Uint8Array(reader.bytes())
    else if (field === 2) account.name = reader.string()
    else if (field === 3) account.issuer = reader.string()
    else if (field === 4) account.algorithm = reader.int32()
    else if (field === 5) account.digits = reader.int32()
    else if (field === 6) account.type = reader.int32()
    else reader.skip(wireType, field)
  }
  return account
}
