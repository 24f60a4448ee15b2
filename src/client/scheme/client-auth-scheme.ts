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
  /** Those that go on the wire, without the credentials; names in lower case. A proof covers some of them. */
  readonly headers?: Readonly<Record<string, string>>
  /**
   * The body exactly as it is sent; for gRPC the serialised message. `null`: there is none. Without it the body is not
   * known, such as that of a stream; a GET, HEAD or DELETE then has none. A function is called if the request is signed.
   */
  readonly body?: string | Uint8Array | null | (() => Promise<Uint8Array>)
}

/** Returns the headers that authenticate a request. */
export interface ClientAuthScheme {
  /** Returns the headers for one transmission of the request. Called again for each retry and redirect. */
  headers(request: ClientRequest): Promise<Record<string, string>>
}
