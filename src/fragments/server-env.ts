import { envFile } from './env-file.js'
import { defaultServerFile, type Fragment, type ServerInput } from './fragment.js'

/** The variable with the path of the server file. */
export const serverEnv: Fragment<ServerInput> = {
  kind: 'text',
  summary: 'the variable with the path of the server file',
  secret: false,
  make: ({ roster, serverFile = defaultServerFile }) =>
    envFile(
      [
        `Where agent "${roster.agent}" finds its server file. Made by \`a2a-totp config server --format env\`.`,
        'Not secret. The file it names is; write that with `a2a-totp config server --format json --out FILE`.',
      ],
      { A2A_TOTP_SERVER_FILE: serverFile },
    ),
}
