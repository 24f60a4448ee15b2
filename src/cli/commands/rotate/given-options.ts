/** The options of a rotation with a delivery, as they are given. */
export interface GivenStagedOptions {
  deliver?: string
  format?: string
  serverOut?: string
  deliverServer?: string
  prove?: string
  wait?: number
  timeout?: number
  allowHost?: string[]
  insecureHttp?: true
  ca?: string
  allowWeakSeed?: true
}

/** Those of the options that are given, by name, with their values. */
export const givenOf = (options: GivenStagedOptions): Readonly<Record<string, unknown>> => ({
  '--deliver': options.deliver,
  '--format': options.format,
  '--server-out': options.serverOut,
  '--deliver-server': options.deliverServer,
  '--prove': options.prove,
  '--wait': options.wait,
  '--timeout': options.timeout,
  '--allow-host': options.allowHost,
  '--insecure-http': options.insecureHttp,
  '--ca': options.ca,
  '--allow-weak-seed': options.allowWeakSeed,
})

/** Whether anything delivers the server file. */
export const deliversServer = ({
  serverOut,
  deliverServer,
}: Pick<GivenStagedOptions, 'serverOut' | 'deliverServer'>): boolean =>
  (serverOut ?? deliverServer) !== undefined

/** Whether they ask for more than new credentials in the store. */
export const isStaged = ({ deliver, serverOut, deliverServer, prove }: GivenStagedOptions): boolean =>
  (deliver ?? serverOut ?? deliverServer ?? prove) !== undefined
