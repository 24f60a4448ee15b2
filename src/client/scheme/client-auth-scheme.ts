/**
 * The request that is about to be sent, as far as the seam sees it. An `AuthenticationHandler` sees nothing of it
 * but the binding, a `CallInterceptor` not even that.
 */
export interface ClientRequest {
  readonly binding?: 'http' | 'grpc'
  /** The HTTP method; `POST` for gRPC. */
  readonly method?: string
  /** Absolute. For gRPC the path is `/pkg.Service/Method`. */
  readonly url?: string
  /** Without the credentials; names in lower case. */
  readonly headers?: Readonly<Record<string, string>>
  /** Gives the bytes of the body, where they are at hand. For proofs that are bound to them; unused for now. */
  readonly body?: () => Promise<Uint8Array>
}

/** Something that can say which headers authenticate a request. */
export interface ClientAuthScheme {
  /** Headers for one attempt to send the request. Called again for each attempt. */
  headers(request: ClientRequest): Promise<Record<string, string>>
}
