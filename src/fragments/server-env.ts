import { envFile } from './env-file.js'
import { defaultServerFile, type Fragment, type ServerInput } from './fragment.js'

/** Tells the agent where its server file is. */
export const serverEnv: Fragment<ServerInput> = {
  kind: 'text',
  summary: 'the variable that tells the agent where its server file is',
  secret: false,
  make: ({ roster, serverFile = defaultServerFile }) =>
    envFile(
      [
        `Where agent "${roster.agent}" finds its server file. Made by \`a2a-totp config server --format env\`.`,
        'Nothing in here is secret; the file that it names is.',
        `Write that file with \`a2a-totp config server --format json --out FILE\`.`,
      ],
      { A2A_TOTP_SERVER_FILE: serverFile },
    ),
}
