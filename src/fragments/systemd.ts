import { TOTPError } from '../core/errors.js'
import { labelOf } from '../core/resource-name.js'
import type { ClientInput, Fragment, ServerInput } from './fragment.js'
import { requireLive } from './live.js'

/** Characters that need no quoting in a unit file. A percent sign begins a specifier, so it is doubled (systemd.unit(5)). */
const plainPath = /^\/[A-Za-z0-9_./@%+,=-]*$/

/** A drop-in that passes the server file to the agent's service as a credential (systemd.exec(5)). */
export const serverSystemd: Fragment<ServerInput> = {
  kind: 'text',
  summary: 'a systemd drop-in that loads the server file as a credential',
  secret: false,
  make: ({ roster, serverFile = `/etc/a2a-totp/${roster.agent}.json` }) => {
    if (!plainPath.test(serverFile)) {
      throw new TOTPError(
        'ERR_CONFIG_INVALID',
        'systemd needs an absolute path of letters, digits and _./@%+,=- for the server file; pass one with --server-file',
      )
    }
    return `\
# The server file of agent "${roster.agent}" for its service. Made by \`a2a-totp config server --format systemd\`.
# Not secret. The file it names is; write that as root, mode 0600:
#   a2a-totp config server --format json --out ${serverFile}
# Save this as /etc/systemd/system/SERVICE.service.d/a2a-totp.conf, then run: systemctl daemon-reload
# systemd (250 or newer) copies the file when the service starts: after a change run \`systemctl restart SERVICE\`.
[Service]
LoadCredential=a2a-totp-server.json:${serverFile.replaceAll('%', '%%')}
Environment=A2A_TOTP_SERVER_FILE=%d/a2a-totp-server.json
`
  },
}

/** A drop-in that passes the variables of the env format to the peer's service (systemd.exec(5)). */
export const clientSystemd: Fragment<ClientInput> = {
  kind: 'text',
  summary: 'a systemd drop-in that loads the variables of the env format',
  secret: false,
  make: (input) => {
    requireLive(input)
    const { roster, peer } = input
    const file = `/etc/a2a-totp/${labelOf(roster.agent)}-${labelOf(peer.name)}.env`
    return `\
# What "${peer.name}" needs to call agent "${roster.agent}", for its service. Made by \`a2a-totp config client ${peer.name} --format systemd\`.
# Not secret. The file it names is; write that as root, mode 0600:
#   a2a-totp config client ${peer.name} --out ${file}
# Save this as /etc/systemd/system/SERVICE.service.d/a2a-totp.conf, then run: systemctl daemon-reload
# systemd reads the file as root when the service starts: after a change run \`systemctl restart SERVICE\`.
[Service]
EnvironmentFile=${file}
`
  },
}
