import { Client, credentials, type Metadata } from '@grpc/grpc-js'
import type { Load } from './server-process.js'
import { echoService } from './servers/echo-service.js'

const atOnce = 50
const message = Buffer.from('hello')

/** Keeps 50 calls under way on one channel. */
export class GrpcLoad implements Load<Metadata> {
  readonly #client: Client

  constructor(port: number) {
    this.#client = new Client(`127.0.0.1:${port}`, credentials.createInsecure())
  }

  async send(calls: readonly Metadata[]): Promise<void> {
    let next = 0
    const caller = async (): Promise<void> => {
      for (let metadata = calls[next++]; metadata; metadata = calls[next++]) await this.#call(metadata)
    }
    await Promise.all(Array.from({ length: atOnce }, caller))
  }

  close(): void {
    this.#client.close()
  }

  #call(metadata: Metadata): Promise<void> {
    const { path, requestSerialize, responseDeserialize } = echoService.echo
    return new Promise((done, fail) => {
      this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        message,
        metadata,
        (error) => (error ? fail(error) : done()),
      )
    })
  }
}
