import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { credentials, loadPackageDefinition, Metadata, type ServiceError } from '@grpc/grpc-js'
import { onTestFinished } from 'vitest'
import type { SentRequest } from './signed-requests.js'

interface HeaderOption {
  readonly header: { readonly key: string; readonly value: string }
  readonly append: { readonly value: boolean } | null
}

/** As protobufjs reads it. */
export interface Checked {
  readonly status: { readonly code: number }
  readonly denied_response: {
    readonly status: { readonly code: number }
    readonly headers: readonly HeaderOption[]
    readonly body: string
  } | null
  readonly ok_response: {
    readonly headers: readonly HeaderOption[]
    readonly headers_to_remove: readonly string[]
  } | null
}

type Check = (
  request: object,
  metadata: Metadata,
  done: (error: ServiceError | null, response: Checked) => void,
) => void

interface Loader {
  loadSync: (file: string, options: object) => Parameters<typeof loadPackageDefinition>[0]
}

/** protobufjs, which encodes and decodes by the definition, and shares nothing with the code under test. */
const { loadSync } = createRequire(import.meta.resolve('@grpc/grpc-js'))('@grpc/proto-loader') as Loader
const definition = loadSync(fileURLToPath(new URL('ext-authz.proto', import.meta.url)), {
  keepCase: true,
  defaults: true,
})
const { envoy } = loadPackageDefinition(definition) as unknown as {
  readonly envoy: {
    service: {
      auth: { v3: { Authorization: new (address: string, given: object) => { Check: Check; close(): void } } }
    }
  }
}

/** Asks as Envoy does, over gRPC. */
export function checker(
  port: number,
): (request: object, metadata?: Readonly<Record<string, string>>) => Promise<Checked> {
  const client = new envoy.service.auth.v3.Authorization(`127.0.0.1:${port}`, credentials.createInsecure())
  onTestFinished(() => client.close())
  return (request, given = {}) => {
    const metadata = new Metadata()
    for (const [key, value] of Object.entries(given)) metadata.add(key, value)
    return new Promise((done, fail) => {
      client.Check(request, metadata, (error, response) => (error ? fail(error) : done(response)))
    })
  }
}

/** What Envoy sends of a request, with `encode_raw_headers`. */
export function rawCheck({ method, target, headers }: SentRequest, source = '192.0.2.7'): object {
  const raw = (key: string, value: string): object => ({ key, raw_value: Buffer.from(value, 'latin1') })
  const lines = [
    raw(':method', method),
    raw(':path', target),
    ...headers.map(([name, value]) => raw(name.toLowerCase(), value)),
  ]
  return checkOf(
    { id: '7', method, path: target, size: -1, protocol: 'HTTP/2', header_map: { headers: lines } },
    source,
  )
}

/** The same without: lines of a field are joined, and a second line never has a place of its own. */
export function joinedCheck({ method, target, headers }: SentRequest, source = '192.0.2.7'): object {
  const joined: Record<string, string> = { ':method': method, ':path': target }
  for (const [name, value] of headers) {
    const key = name.toLowerCase()
    joined[key] = joined[key] === undefined ? value : `${joined[key]},${value}`
  }
  return checkOf({ id: '7', method, path: target, size: -1, headers: joined }, source)
}

function checkOf(http: object, source: string): object {
  const peer = { address: { socket_address: { protocol: 0, address: source, port_value: 4711 } } }
  return {
    attributes: { source: peer, destination: peer, request: { http }, context_extensions: { a: 'b' } },
  }
}
