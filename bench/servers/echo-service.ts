import type { ServiceDefinition } from '@grpc/grpc-js'

const asItIs = (message: Buffer): Buffer => message

/** The least that a service can be: a unary call whose messages are bytes. */
export const echoService = {
  echo: {
    path: '/bench.Echo/Echo',
    requestStream: false,
    responseStream: false,
    requestSerialize: asItIs,
    requestDeserialize: asItIs,
    responseSerialize: asItIs,
    responseDeserialize: asItIs,
  },
} satisfies ServiceDefinition
