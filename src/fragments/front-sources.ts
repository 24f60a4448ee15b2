/** The configurations of proxies, as templates. */
import caddy from './templates/fronts/Caddyfile.text'
import envoy from './templates/fronts/envoy.yaml.text'
import haproxy from './templates/fronts/haproxy.cfg.text'
import haproxyLua from './templates/fronts/haproxy.lua.text'
import nginx from './templates/fronts/nginx.conf.text'
import traefik from './templates/fronts/traefik-dynamic.yaml.text'
import traefikStatic from './templates/fronts/traefik-static.yaml.text'

/** By the names that the files have unless another is wanted. */
export const frontSources = {
  'a2a-totp.conf': nginx,
  Caddyfile: caddy,
  'traefik-dynamic.yaml': traefik,
  'traefik-static.yaml': traefikStatic,
  'haproxy.cfg': haproxy,
  'a2a-totp.lua': haproxyLua,
  'envoy.yaml': envoy,
}

export type FrontSource = keyof typeof frontSources
