import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'
import { asObject, asText } from '../../core/json.js'

/** What a result holds, as far as a probe asks. */
export interface Content {
  /** The id of the task in it, if it is one or holds one. */
  readonly taskId: string | undefined
  /** Whether it has texts, and each is known. Numbers, flags and names of fields are not looked at. */
  saysOnly(isKnown: (text: string) => boolean): boolean
}

/** The content of an answer in JSON, over JSON-RPC or REST. */
export function jsonContent(body: unknown): Content {
  const outer = asObject(body)
  const result = 'result' in outer ? outer['result'] : body
  const object = asObject(result)
  // 0.3 has the task itself in JSON-RPC, everything else a field of that name.
  const isTask = object['kind'] === 'task' || 'status' in object
  return {
    taskId: asText(asObject(object['task'])['id']) || (isTask && asText(object['id'])) || undefined,
    saysOnly: (isKnown) => {
      const texts = textsIn(result).filter((text) => text !== '')
      return texts.length > 0 && texts.every(isKnown)
    },
  }
}

/** Every text in a value, at any depth. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : []
}

/** The content of a gRPC answer: one length-prefixed message. Which message it is shows only by the call. */
export function protoContent(body: Uint8Array): Content {
  const message = body.subarray(5)
  return {
    get taskId() {
      // SendMessageResponse: a task is its field 1, and the id is that of the task.
      const id = attempt(() => bytesFields(bytesFields(message, 1)[0] ?? new Uint8Array(), 1)[0])
      return id && new TextDecoder().decode(id)
    },
    saysOnly: (isKnown) => message.length > 0 && (attempt(() => messageSaysOnly(message, isKnown)) ?? false),
  }
}

/** No message of A2A is nested deeper. */
const deepest = 100

/** A field of bytes is a text or a message of its own: it is a known text, or holds only such. */
function messageSaysOnly(message: Uint8Array, isKnown: (text: string) => boolean, depth = 0): boolean {
  if (depth > deepest) return false
  const reader = new BinaryReader(message)
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag()
    if (type !== WireType.LengthDelimited) reader.skip(type, field)
    else {
      const bytes = reader.bytes()
      const known = bytes.length === 0 || isKnown(new TextDecoder().decode(bytes))
      if (!known && !(attempt(() => messageSaysOnly(bytes, isKnown, depth + 1)) ?? false)) return false
    }
  }
  return true
}

/** The length-delimited fields of a message that have one number. */
export function bytesFields(message: Uint8Array, number: number): Uint8Array[] {
  const reader = new BinaryReader(message)
  const found: Uint8Array[] = []
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag()
    if (field === number && type === WireType.LengthDelimited) found.push(reader.bytes())
    else reader.skip(type, field)
  }
  return found
}

/** The value, or undefined where the bytes are no such message. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
