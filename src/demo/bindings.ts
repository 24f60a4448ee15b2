/** What the demo can serve, as `--bindings` and the probe's `--binding` name it. */
export const everyBinding = ['jsonrpc', 'rest', 'grpc'] as const
export type DemoBinding = (typeof everyBinding)[number]
