import { A2AService } from '@a2a-js/sdk/server/grpc'
import { Client, credentials, Metadata, status, type ServiceError } from '@grpc/grpc-js'
import { Message, SendMessageRequest } from '@a2a-js/sdk'
import { TOTPClientAuthScheme } from '../../../src/client/index.js'
import { totpGrpcInterceptor } from '../../../src/client/grpc.js'
import type { Refusal } from './excuses.js'
import type { Caller, Load } from './lanes.js'
import { clocksOf, fileOf, type Lane } from './plant.js'

const refusals: Readonly<Record<number, Refusal>> = {
  [status.UNAUTHENTICATED]: '401',
  [status.RESOURCE_EXHAUSTED]: '429',
  [status.UNAVAILABLE]: '503',
  [status.INTERNAL]: 'cut',
  [status.UNKNOWN]: 'cut',
  [status.CANCELLED]: 'cut',
}

/** Calls over gRPC, on one connection: signed by the library's interceptor, or without credentials to the proxy. */
export function grpcCaller({ plant, record }: Load, lane: Lane): { caller: Caller; close: () => void } {
  const { peer, way } = lane
  const place = way === 'proxied' ? 'proxy' : peer.target
  const address = plant.grpc[place]
  const scheme = TOTPClientAuthScheme.fromFile(fileOf(plant, peer), {
    now: clocksOf(plant, lane).client.now,
    onWarning: () => undefined,
  })
  const interceptors =
    way === 'proxied' ? [] : [totpGrpcInterceptor(scheme, { origins: [`http://${address}`] })]
  const client = new Client(address, credentials.createInsecure(), { interceptors })
  const metadata = new Metadata()
  metadata.set('a2a-version', '1.0')
  const caller: Caller = (id) =>
    new Promise((done) => {
      const answered = (error: ServiceError | null, answer?: Buffer): void => {
        if (error) {
          const refusal = refusals[error.code] ?? 'other'
          done({ kind: 'refused', refusal, detail: `${error.code} ${error.details}` })
          return
        }
        if (!isAnswer(lane, id, answer ?? Buffer.alloc(0)))
          record.fail(`${lane.name}: another answer than its own`)
        done({ kind: 'served' })
      }
      const { path, message } = callOf(lane, id)
      client.makeUnaryRequest(
        path,
        (value: Buffer) => value,
        (value) => value,
        message,
        metadata,
        { deadline: Date.now() + 15_000 },
        answered,
      )
    })
  return {
    caller,
    close: () => {
      scheme.close()
      client.close()
    },
  }
}

function callOf({ peer }: Lane, id: string): { path: string; message: Buffer } {
  if (peer.target === 'gate') return { path: '/test.Echo/Say', message: Buffer.from(id) }
  const message = Message.fromJSON({ messageId: id, role: 'ROLE_USER', parts: [{ text: id }] })
  const request = { ...SendMessageRequest.fromJSON({}), message }
  const { path, requestSerialize } = A2AService.sendMessage
  return { path, message: requestSerialize(request) }
}

function isAnswer({ peer }: Lane, id: string, answer: Buffer): boolean {
  return peer.target === 'gate'
    ? answer.toString() === id
    : answer.includes(Buffer.from(`${peer.name} said: ${id}`))
}
