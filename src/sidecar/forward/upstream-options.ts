/** Where the server behind is: at an http or https URL, of which only the origin counts, or at a unix socket. */
export type UpstreamAddress = URL | { readonly socket: string }

export interface UpstreamOptions {
  /** Certificates in PEM that are trusted instead of those of the system. */
  readonly ca?: string | Buffer | readonly string[]
  /** This side's own certificate and key, in PEM. */
  readonly cert?: string | Buffer
  readonly key?: string | Buffer
  readonly timeouts?: {
    /** For the connection; by default 5 s. */
    readonly connectMs?: number
    /** From the last byte of the request to the head of the answer; by default none. */
    readonly answerMs?: number
  }
}

export const defaultConnectMs = 5000
