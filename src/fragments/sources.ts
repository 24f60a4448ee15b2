/** The source code that some fragments consist of. A bundle of its own, so that other commands do not load it. */
import crewaiClient from './python/a2a_totp_crewai_client.py'
import crewaiPart from './python/a2a_totp_crewai_server.py'
import pythonClient from './python/a2a_totp_client.py'
import pythonServer from './python/a2a_totp_server.py'
import agentSource from './templates/agent.ts.text'
import clientSource from './templates/client.ts.text'

export { agentSource, clientSource, crewaiClient, pythonClient, pythonServer }

/** What the crewAI part needs as a file of its own, but not when it follows the server module. */
const ownHead = /^"""[^"]*"""\n\n/
const ownImport = 'from a2a_totp_server import Authenticator, Caller\n'

/** The server module and the crewAI part as one module. */
export const crewaiServer = `${pythonServer}\n\n${crewaiPart
  .replace(ownHead, '')
  .replace(ownImport, '')
  .replace(/\n{3,}class/, '\n\n\nclass')}`
