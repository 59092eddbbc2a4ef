import type { Libp2p } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import { isPublicMultiaddr, isRelayed } from './addresses.ts'
import { REACHABILITY_CHECK_MS } from './options.ts'

/** Whether others can dial this node. `unknown` on a private network, where nobody asks, and until somebody has tried. */
export type Reachability = 'unknown' | 'public' | 'private'

/** An address of our own as libp2p's address list has it; `verified` by a peer that dialled it, or by the owner. */
export interface OwnAddress { multiaddr: Multiaddr, verified: boolean }

/** What the watch needs of the running host. */
export interface ReachableHost { libp2p: Libp2p, ownAddresses: () => OwnAddress[] }

export interface ReachabilityWatch {
  state: () => Reachability
  start: (host: ReachableHost) => void
  stop: () => void
}

/** True when one of the addresses is on the internet, our own and known to work. */
export function isReachableAt (addresses: readonly OwnAddress[]): boolean {
  return addresses.some(({ multiaddr, verified }) => verified && !isRelayed(multiaddr) && isPublicMultiaddr(multiaddr))
}

/**
 * Says what the owner said, else what peers found out: public once one of them dialled an address of ours, private when
 * none did for `graceMs` since the first came.
 */
export function createReachabilityWatch (components: { clock: Clock, logger: Logger, onChange: (state: Reachability) => void }, options: { isPublic: boolean, told: 'auto' | 'public' | 'private', graceMs: number }): ReachabilityWatch {
  const { clock, logger, onChange } = components
  let state: Reachability = 'unknown'
  let host: ReachableHost | undefined
  let alone = true
  let untilMs = 0
  let cancel = (): void => undefined

  const become = (next: Reachability): void => {
    if (next === state) return
    state = next
    logger.info('reachability', { state })
    onChange(state)
  }
  const look = (): void => {
    if (host === undefined) return
    const hasPeers = host.libp2p.getPeers().length > 0
    if (alone && hasPeers) untilMs = clock.now() + options.graceMs
    alone = !hasPeers
    if (isReachableAt(host.ownAddresses())) become('public')
    else if (hasPeers && clock.now() >= untilMs) become('private')
  }
  const poll = (): void => {
    look()
    cancel = clock.after(Math.min(REACHABILITY_CHECK_MS, options.graceMs), poll)
  }
  return {
    state: () => state,
    start: (started) => {
      if (options.told !== 'auto') {
        become(options.told)
        return
      }
      if (!options.isPublic) return
      host = started
      host.libp2p.addEventListener('self:peer:update', look)
      host.libp2p.addEventListener('peer:connect', look)
      poll()
    },
    stop: () => {
      host?.libp2p.removeEventListener('self:peer:update', look)
      host?.libp2p.removeEventListener('peer:connect', look)
      host = undefined
      cancel()
      state = 'unknown'
      alone = true
    }
  }
}
