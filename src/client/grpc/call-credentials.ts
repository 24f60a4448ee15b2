import { credentials, Metadata, type CallCredentials } from '@grpc/grpc-js'

type Headers = Readonly<Record<string, string>>

/**
 * Call credentials that are created when gRPC asks for them: once connected, and again for each retry.
 *
 * @param headersFor called with `https://host/pkg.Service`
 */
export function callCredentials(
  headersFor: (serviceUrl: string) => Promise<Headers>,
  onError: (error: unknown) => void = () => undefined,
): CallCredentials {
  return credentials.createFromMetadataGenerator(({ service_url }, callback) => {
    headersFor(service_url).then(
      (headers) => callback(null, metadataOf(headers)),
      (error: unknown) => {
        onError(error)
        callback(error instanceof Error ? error : new Error('no credentials'))
      },
    )
  })
}

function metadataOf(headers: Headers): Metadata {
  const metadata = new Metadata()
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value)
  return metadata
}
