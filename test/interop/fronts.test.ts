import { frontCases } from '../support/fronts/cases.js'
import { describeWithProxy } from '../support/proxies.js'

describeWithProxy('nginx', 'fronts', () => frontCases('nginx'))
describeWithProxy('haproxy', 'fronts', () => frontCases('haproxy'))
