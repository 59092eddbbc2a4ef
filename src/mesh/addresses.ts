import { BlockList, isIP } from 'node:net'

/** Loopback, private, link-local and carrier-grade ranges: many honest nodes share one such address. */
const LOCAL = new BlockList()
for (const [net, bits] of [['127.0.0.0', 8], ['10.0.0.0', 8], ['172.16.0.0', 12], ['192.168.0.0', 16], ['169.254.0.0', 16], ['100.64.0.0', 10]] as const) LOCAL.addSubnet(net, bits, 'ipv4')
for (const [net, bits] of [['::1', 128], ['fc00::', 7], ['fe80::', 10]] as const) LOCAL.addSubnet(net, bits, 'ipv6')

/** True for an IP text inside a loopback, private, link-local or carrier-grade range. */
export function isLocalAddress (ip: string): boolean {
  const family = isIP(ip)
  return family !== 0 && LOCAL.check(ip, family === 6 ? 'ipv6' : 'ipv4')
}

/** Gossipsub asks this set before it counts peers per address; a range has no finite set, so `has` answers for it. */
export class LocalAddresses extends Set<string> {
  override has (ip: string): boolean {
    return isLocalAddress(ip)
  }
}
