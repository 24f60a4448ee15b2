import { frontTokenCases } from '../support/fronts/token-cases.js'
import { describeWithProxy } from '../support/proxies.js'

describeWithProxy('nginx', 'fronts', () => frontTokenCases('nginx'))
describeWithProxy('haproxy', 'fronts', () => frontTokenCases('haproxy'))
