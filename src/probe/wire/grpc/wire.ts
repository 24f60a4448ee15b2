import type { Operation } from '../../bindings/binding.js'
import type { ProtocolVersion } from '../../target/cells.js'

/** The services of a2a.proto, and their words for the same methods. */
const methods = {
  '1.0': {
    service: 'lf.a2a.v1.A2AService',
    get: 'GetTask',
    subscribe: 'SubscribeToTask',
    send: 'SendMessage',
  },
  '0.3': { service: 'a2a.v1.A2AService', get: 'GetTask', subscribe: 'TaskSubscription', send: 'SendMessage' },
} as const

/** The path of a method (gRPC over HTTP/2, "Requests"). */
export function pathOf(protocol: ProtocolVersion, operation: Operation): string {
  return `/${methods[protocol].service}/${methods[protocol][operation.name]}`
}

/** Field numbers of a2a.proto, 1.0 and 0.3, for the few fields that are sent. */
const fieldsOf = {
  '1.0': { tenant: 1, id: 2, message: 2 },
  '0.3': { id: 1, message: 1 },
} as const
const ofMessage = { messageId: 1, role: 4, parts: 5 }
const ofPart = { text: 1 }
const roleUser = 1

/** A request as one length-prefixed, uncompressed gRPC message. */
export function encodeRequest(protocol: ProtocolVersion, operation: Operation, tenant?: string): Buffer {
  const fields = fieldsOf[protocol]
  const body =
    operation.name === 'send'
      ? bytesField(fields.message, messageWith(operation))
      : // 0.3 names resources, 1.0 has bare ids.
        textField(fields.id, protocol === '0.3' ? `tasks/${operation.taskId}` : operation.taskId)
  const message =
    tenant !== undefined && protocol === '1.0'
      ? Buffer.concat([textField(fieldsOf['1.0'].tenant, tenant), body])
      : body
  const prefix = Buffer.alloc(5)
  prefix.writeUInt32BE(message.length, 1)
  return Buffer.concat([prefix, message])
}

function messageWith({ taskId, text }: Extract<Operation, { name: 'send' }>): Buffer {
  return Buffer.concat([
    textField(ofMessage.messageId, taskId),
    Buffer.from([ofMessage.role << 3, roleUser]),
    bytesField(ofMessage.parts, textField(ofPart.text, text)),
  ])
}

const textField = (field: number, text: string): Buffer => bytesField(field, Buffer.from(text))

/** A length-delimited field (protocol buffers, wire type 2). */
function bytesField(field: number, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([(field << 3) | 2, ...varint(bytes.length)]), bytes])
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)]
}
