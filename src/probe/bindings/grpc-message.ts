import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import type { ProtocolVersion } from '../target/cells.js'
import type { Operation } from './operation.js'

/** The services of a2a.proto, and their names for the same methods. */
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
  const request = new BinaryWriter()
  if (tenant !== undefined && protocol === '1.0') text(request, fieldsOf['1.0'].tenant, tenant)
  if (operation.name === 'send') nested(request, fields.message, messageWith(operation))
  // 0.3 names resources, 1.0 has bare ids.
  else text(request, fields.id, protocol === '0.3' ? `tasks/${operation.taskId}` : operation.taskId)
  const message = request.finish()
  const prefix = Buffer.alloc(5)
  prefix.writeUInt32BE(message.length, 1)
  return Buffer.concat([prefix, message])
}

function messageWith(operation: Extract<Operation, { name: 'send' }>): BinaryWriter {
  const message = text(new BinaryWriter(), ofMessage.messageId, operation.taskId)
  message.tag(ofMessage.role, WireType.Varint).int32(roleUser)
  return nested(message, ofMessage.parts, text(new BinaryWriter(), ofPart.text, operation.text))
}

const text = (writer: BinaryWriter, field: number, value: string): BinaryWriter =>
  writer.tag(field, WireType.LengthDelimited).string(value)

const nested = (writer: BinaryWriter, field: number, message: BinaryWriter): BinaryWriter =>
  writer.tag(field, WireType.LengthDelimited).bytes(message.finish())
