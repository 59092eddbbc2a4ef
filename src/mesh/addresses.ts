import { BlockList, isIP } from 'node:net'
import type { Multiaddr } from '@multiformats/multiaddr'

/** Loopback, private, link-local and carrier-grade ranges: many honest nodes share one such address. */
const LOCAL = new BlockList()
for (const [net, bits] of [['127.0.0.0', 8], ['10.0.0.0', 8], ['172.16.0.0', 12], ['192.168.0.0', 16], ['169.254.0.0', 16], ['100.64.0.0', 10]] as const) LOCAL.addSubnet(net, bits, 'ipv4')
for (const [net, bits] of [['::1', 128], ['fc00::', 7], ['fe80::', 10]] as const) LOCAL.addSubnet(net, bits, 'ipv6')

/** True for an IP text inside a loopback, private, link-local or carrier-grade range. */
export function isLocalAddress (ip: string): boolean {
  const family = isIP(ip)
  return family !== 0 && LOCAL.check(ip, family === 6 ? 'ipv6' : 'ipv4')
}

/** What nobody can be reached at from the internet, beyond the local ranges: this host, multicast, reserved. */
const UNROUTED = new BlockList()
for (const [net, bits] of [['0.0.0.0', 8], ['224.0.0.0', 4], ['240.0.0.0', 4]] as const) UNROUTED.addSubnet(net, bits, 'ipv4')
for (const [net, bits] of [['::', 128], ['ff00::', 8]] as const) UNROUTED.addSubnet(net, bits, 'ipv6')

/** True for an IP text that can be reached from the internet. */
export function isPublicAddress (ip: string): boolean {
  const family = isIP(ip)
  return family !== 0 && !isLocalAddress(ip) && !UNROUTED.check(ip, family === 6 ? 'ipv6' : 'ipv4')
}

/** Names that are never on the internet (RFC 6761, 6762, 8375). */
const LOCAL_NAME = /(^|\.)(localhost|local|internal|home\.arpa)\.?$/i

/** True for an address that goes through a relay; its first part is then the relay's. */
export function isRelayed (address: Multiaddr): boolean {
  return address.getComponents().some(({ name }) => name === 'p2p-circuit')
}

/** What a dial of the address connects to: an IP, a name, a peer whose address is known elsewhere, or something else (a Unix socket). */
export function hostOf (address: Multiaddr): { kind: 'ip' | 'name' | 'peer' | 'other', host: string } {
  const [first, second] = address.getComponents()
  const at = first?.name === 'ip6zone' ? second : first
  if (at?.name === 'ip4' || at?.name === 'ip6') return { kind: 'ip', host: at.value ?? '' }
  if (at?.name.startsWith('dns') === true) return { kind: 'name', host: at.value ?? '' }
  return { kind: at?.name === 'p2p' || at?.name === 'p2p-circuit' ? 'peer' : 'other', host: '' }
}

/** True for an address that makes sense on the internet, as far as its text tells: a public IP, a name, or a peer whose address is known elsewhere. */
export function isPublicMultiaddr (address: Multiaddr): boolean {
  const { kind, host } = hostOf(address)
  if (kind === 'ip') return isPublicAddress(host)
  if (kind === 'name') return !LOCAL_NAME.test(host) && (!/^[\d.]+$|:/.test(host) || isPublicAddress(host))
  return kind === 'peer'
}

/** Addresses remembered as local or not. */
const MAX_REMEMBERED = 4_096

/**
 * Gossipsub asks this set before it counts peers per address; a range has no finite set, so `has` answers for it. A
 * relay's address is the relay's own, not that of the many who are reached through it.
 */
export class SharedAddresses extends Set<string> {
  readonly #isRelay: (ip: string) => boolean
  /** What was asked before: it is asked for every connected peer whenever its score is. */
  readonly #local = new Map<string, boolean>()

  constructor (isRelay: (ip: string) => boolean) {
    super()
    this.#isRelay = isRelay
  }

  override has (ip: string): boolean {
    let isLocal = this.#local.get(ip)
    if (isLocal === undefined) {
      if (this.#local.size >= MAX_REMEMBERED) this.#local.clear()
      this.#local.set(ip, isLocal = isLocalAddress(ip))
    }
    return isLocal || this.#isRelay(ip)
  }
}
