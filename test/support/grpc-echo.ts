import * as grpc from '@grpc/grpc-js'
import { onTestFinished } from 'vitest'

const bytes = (value: Buffer): Buffer => value
const method = (name: string, streams: boolean) => ({
  path: `/test.Echo/${name}`,
  requestStream: false,
  responseStream: streams,
  requestSerialize: bytes,
  requestDeserialize: bytes,
  responseSerialize: bytes,
  responseDeserialize: bytes,
})

/** What the agent saw of a call. */
export interface EchoCall {
  readonly message: string
  readonly metadata: grpc.Metadata
}

export interface EchoAgent {
  readonly url: string
  readonly calls: EchoCall[]
  /** The open calls of `Watch`. */
  readonly open: Set<grpc.ServerWritableStream<Buffer, Buffer>>
}

/** An unguarded gRPC server: `Say` echoes, `Fail` ends with NOT_FOUND, `Watch` echoes once and stays open. */
export async function echoAgent(): Promise<EchoAgent> {
  const calls: EchoCall[] = []
  const open = new Set<grpc.ServerWritableStream<Buffer, Buffer>>()
  const server = new grpc.Server({ 'grpc.max_receive_message_length': -1 })
  server.addService(
    { Say: method('Say', false), Fail: method('Fail', false), Watch: method('Watch', true) },
    {
      Say: (
        { request, metadata }: grpc.ServerUnaryCall<Buffer, Buffer>,
        done: grpc.sendUnaryData<Buffer>,
      ) => {
        calls.push({ message: String(request), metadata })
        const trailer = new grpc.Metadata()
        trailer.set('x-trailer', 'end')
        done(null, request, trailer)
      },
      Fail: (_: unknown, done: grpc.sendUnaryData<Buffer>) => {
        done({ code: grpc.status.NOT_FOUND, details: 'no such task' })
      },
      Watch: (call: grpc.ServerWritableStream<Buffer, Buffer>) => {
        calls.push({ message: String(call.request), metadata: call.metadata })
        open.add(call)
        call.once('cancelled', () => open.delete(call))
        call.write(call.request)
      },
    },
  )
  const port = await new Promise<number>((bound, fail) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, found) =>
      error ? fail(error) : bound(found),
    )
  })
  onTestFinished(() => server.forceShutdown())
  return { url: `http://127.0.0.1:${port}`, calls, open }
}

/** How a call ended. */
export interface Ended {
  readonly code: number
  readonly details: string
  readonly trailers: Readonly<Record<string, grpc.MetadataValue[]>>
  readonly messages: string[]
}

/** Calls a method and waits for its end. `onMessage` hears of each message. */
export async function callEcho(
  { port }: { readonly port: number },
  name: 'Say' | 'Fail' | 'Watch',
  fields: Readonly<Record<string, string>>,
  message: string | Buffer = 'hello',
  { compressed = false, onMessage }: { compressed?: boolean; onMessage?: () => void } = {},
): Promise<Ended> {
  const options = compressed ? { 'grpc.default_compression_algorithm': grpc.compressionAlgorithms.gzip } : {}
  const credentials = grpc.credentials.createInsecure()
  const client = new grpc.Client(`127.0.0.1:${port}`, credentials, {
    ...options,
    'grpc.max_receive_message_length': -1,
  })
  const metadata = new grpc.Metadata()
  for (const [field, value] of Object.entries(fields)) metadata.set(field, value)
  const call = client.makeServerStreamRequest(
    `/test.Echo/${name}`,
    bytes,
    bytes,
    Buffer.from(message),
    metadata,
  )
  const messages: string[] = []
  call.on('data', (data: Buffer) => {
    messages.push(String(data))
    onMessage?.()
  })
  call.on('error', () => undefined)
  const status = await new Promise<grpc.StatusObject>((done) => call.once('status', done))
  client.close()
  const { code, details, metadata: trailing } = status
  const trailers = Object.fromEntries(Object.keys(trailing.getMap()).map((key) => [key, trailing.get(key)]))
  return { code, details, trailers, messages }
}
