import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import type { ProtocolVersion } from '../target/cells.js'
import { grpcMethods, grpcServices, type Method } from './methods.js'
import type { Operation } from './operation.js'

/** The path of a method (gRPC over HTTP/2, "Requests"). */
export function pathOf(protocol: ProtocolVersion, operation: Operation): string {
  if (operation.name === 'door') return `/${operation.door.name}`
  return `/${grpcServices[protocol]}/${grpcMethods[protocol][operation.name]}`
}

/** Field numbers of a2a.proto, 1.0 and 0.3, for the few fields that are sent. */
const fieldsOf = {
  '1.0': { tenant: 1, id: 2, message: 2 },
  '0.3': { id: 1, message: 1 },
} as const
const ofMessage = { messageId: 1, role: 4, parts: 5 }
const ofPart = { text: 1 }
const roleUser = 1

/** Of a message: whether it is compressed, and its length. */
export const prefixBytes = 5

/** A request as one length-prefixed, uncompressed gRPC message. */
export function encodeRequest(protocol: ProtocolVersion, operation: Operation, tenant?: string): Buffer {
  const fields = fieldsOf[protocol]
  const request = new BinaryWriter()
  if (tenant !== undefined && protocol === '1.0') text(request, tenantField(operation), tenant)
  if (operation.name === 'door') writeDoor(request, protocol, operation)
  else if (operation.name === 'send') nested(request, fields.message, messageWith(operation))
  // 0.3 names resources, 1.0 has bare ids.
  else text(request, fields.id, protocol === '0.3' ? `tasks/${operation.taskId}` : operation.taskId)
  const message = request.finish()
  const prefix = Buffer.alloc(prefixBytes)
  prefix.writeUInt32BE(message.length, 1)
  return Buffer.concat([prefix, message])
}

/** ListTaskPushNotificationConfigs has its tenant last. */
function tenantField(operation: Operation): number {
  return operation.name === 'door' && operation.door.method === 'list-push' ? 4 : fieldsOf['1.0'].tenant
}

/** Parameters that do nothing where they are let in: an empty message, ids that nothing has, one row of a list. */
function writeDoor(
  request: BinaryWriter,
  protocol: ProtocolVersion,
  { door, taskId, pageSize = 1 }: Extract<Operation, { name: 'door' }>,
): void {
  const { method } = door
  if (method === 'send' || method === 'stream') {
    nested(request, fieldsOf[protocol].message, new BinaryWriter())
  } else if (protocol === '1.0') {
    for (const field of taskIdFields[method] ?? []) text(request, field, taskId)
    if (method === 'list') request.tag(4, WireType.Varint).int32(pageSize)
  } else if (method === 'get-push' || method === 'delete-push') {
    text(request, 1, `tasks/${taskId}/pushNotificationConfigs/${taskId}`)
  } else if (method !== 'card' && method !== 'invented') {
    text(request, 1, `tasks/${taskId}`)
  }
}

/** Fields of the requests of 1.0 that hold an id, of the task or of a configuration. */
const taskIdFields: Readonly<Partial<Record<Method | 'invented', readonly number[]>>> = {
  get: [2],
  cancel: [2],
  subscribe: [2],
  'set-push': [3],
  'get-push': [2, 3],
  'delete-push': [2, 3],
  'list-push': [1],
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
