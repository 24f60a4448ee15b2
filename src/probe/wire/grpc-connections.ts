import type { GrpcConnection } from './grpc.js'

/** Connections for gRPC calls at a time, one call on each: a call that breaks its connection breaks no other call. */
export class GrpcConnections implements Pick<GrpcConnection, 'call'> {
  readonly #free: GrpcConnection[] = []

  constructor(private readonly open: () => GrpcConnection) {}

  async call(request: Parameters<GrpcConnection['call']>[0]): ReturnType<GrpcConnection['call']> {
    const connection = this.#free.pop() ?? this.open()
    try {
      return await connection.call(request)
    } finally {
      this.#free.push(connection)
    }
  }
}
