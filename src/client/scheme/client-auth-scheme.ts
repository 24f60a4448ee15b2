/**
 * The request that is about to be sent, as far as it is known. An `AuthenticationHandler` knows only the binding, a
 * `CallInterceptor` not even that.
 */
export interface ClientRequest {
  readonly binding?: 'http' | 'grpc'
  /** The HTTP method; `POST` for gRPC. */
  readonly method?: string
  /** Absolute. For gRPC the path is `/pkg.Service/Method`. */
  readonly url?: string
  /** Without the credentials; names in lower case. */
  readonly headers?: Readonly<Record<string, string>>
  /** Returns the bytes of the body, where available. For proofs that are bound to the body; not used yet. */
  readonly body?: () => Promise<Uint8Array>
}

/** Returns the headers that authenticate a request. */
export interface ClientAuthScheme {
  /** Returns the headers for one transmission of the request. Called again for each retry and redirect. */
  headers(request: ClientRequest): Promise<Record<string, string>>
}
