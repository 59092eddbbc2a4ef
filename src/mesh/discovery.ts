import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import { errorMessage } from '../core/errors.ts'
import type { Datastore } from '../store/datastore.ts'
import { createDialling } from './dialling.ts'
import { identifyAgain, type IdentifyingNode } from './identify-again.ts'
import { createRoleRecords } from './role-records.ts'
import { ATTEMPT_TIMEOUT_MS, DIALS_PER_ROUND, LOOKUP_GAP_MS, PROVIDE_AGAIN_MS, RETRY_MAX_MS, RETRY_MIN_MS } from './options.ts'

/** Who plays which role, kept in the DHT. Any peer may claim any role: what it serves must be checked on use. */
export interface RoleDirectory {
  /** Replaces the roles this node is found under; published now and renewed while the mesh runs. */
  announce: (roles: readonly string[]) => void
  /** Peer ids with known addresses, without our own; empty when none is found before the signal fires or after three tries. */
  find: (role: string, options: { signal: AbortSignal }) => Promise<string[]>
  /** Connects with up to `count` nodes of a role that are not connected yet, whatever the number of peers. */
  meet: (role: string, options: { count: number, signal: AbortSignal }) => Promise<void>
}

/** Every node is found under this role, so that nodes meet without sharing another one. */
export const ANY_ROLE = 'node'
/** Nodes that relay are found under this one. */
export const RELAY_ROLE = 'relay'
const FIND_TRIES = 3

export interface Discovery extends RoleDirectory { start: (libp2p: IdentifyingNode) => Promise<void>, stop: () => Promise<void> }

/**
 * Keeps the node connected: bootstrap addresses, peers of earlier runs, and the role directory, with back-off, for ever. `standing` are
 * roles that the node has for as long as it runs, whatever is announced.
 */
export function createDiscovery (components: { clock: Clock, logger: Logger, datastore: Datastore, isGraylisted: (peer: string) => boolean }, options: { network: string, bootstrap: readonly string[], targetPeers: number, standing: readonly string[], hasKey: boolean }): Discovery {
  const { clock, logger } = components
  let libp2p: IdentifyingNode | undefined
  let stopping = new AbortController()
  let loop: Promise<void> = Promise.resolve()
  let wake = (): void => undefined
  let cancelWake = (): void => undefined
  let cancelAgain: (() => void) | undefined
  let nextLookupMs = 0
  let told = ''

  const attempt = (): AbortSignal => AbortSignal.any([stopping.signal, AbortSignal.timeout(ATTEMPT_TIMEOUT_MS)])
  const dialling = createDialling(components, { bootstrap: options.bootstrap, hasKey: options.hasKey, attempt })
  const records = createRoleRecords(components, { network: options.network, standing: options.standing, attempt })
  const addresses = (): string => libp2p?.getMultiaddrs().map(String).sort().join() ?? ''
  const missing = (node: IdentifyingNode): number => options.targetPeers - node.getPeers().length

  const dialMissing = async (node: IdentifyingNode, candidates: Parameters<typeof dialling.some>[1]): Promise<void> => {
    if (missing(node) > 0) await dialling.some(node, candidates, Math.min(DIALS_PER_ROUND, missing(node) + 2))
  }
  const round = async (node: IdentifyingNode): Promise<void> => {
    await dialling.bootstrap(node)
    if (missing(node) > 0) {
      const known = await node.peerStore.all()
      await dialMissing(node, known.filter((peer) => peer.addresses.length > 0).map((peer) => peer.id))
    }
    await records.provide(node)
    if (node.getPeers().length > 0 && missing(node) > 0 && clock.now() >= nextLookupMs) {
      nextLookupMs = clock.now() + LOOKUP_GAP_MS
      await identifyAgain({ clock, logger }, node, attempt())
      await dialMissing(node, await records.lookUp(node, ANY_ROLE, attempt()))
    }
  }
  /** Rounds follow quickly while something changes, and slow down to RETRY_MAX_MS while nothing does. */
  const run = async (node: IdentifyingNode): Promise<void> => {
    let waitMs = RETRY_MIN_MS
    let seen = -1
    while (!stopping.signal.aborted) {
      await round(node).catch((error: unknown) => { logger.debug('discovery round failed', { error: errorMessage(error) }) })
      const now = node.getPeers().length
      waitMs = now === seen ? Math.min(RETRY_MAX_MS, waitMs * 2) : RETRY_MIN_MS
      seen = now
      const woken = new Promise<void>((resolve) => { wake = resolve })
      const pause = new AbortController()
      await Promise.race([woken, clock.wait(waitMs, AbortSignal.any([stopping.signal, pause.signal])).catch(() => undefined)])
      pause.abort()
    }
  }
  /** A burst of events makes one round: the next one starts after the shortest pause. */
  const wakeSoon = (): void => {
    cancelWake()
    cancelWake = clock.after(RETRY_MIN_MS, () => { wake() })
  }
  const onPeers = (): void => {
    // With up to k = 20 peers each of them holds our record; in larger networks the DHT's own renewal is enough.
    if ((libp2p?.getPeers().length ?? 0) <= 20 && records.arePut) {
      cancelAgain ??= clock.after(PROVIDE_AGAIN_MS, () => {
        cancelAgain = undefined
        records.renew()
        wake()
      })
    }
    wakeSoon()
  }
  /** A relay gained or lost: the records that others hold of us name addresses which are not ours any more. */
  const onAddresses = (): void => {
    const now = addresses()
    if (now === told) return
    told = now
    records.renew()
    wakeSoon()
  }
  const applyRoles = (node: IdentifyingNode): void => {
    records.save(node).catch((error: unknown) => { logger.debug('roles not saved', { error: errorMessage(error) }) })
    wake()
  }
  return {
    announce: (next) => {
      records.set(next)
      if (libp2p !== undefined) applyRoles(libp2p)
    },
    find: async (role, { signal }) => {
      let found: Awaited<ReturnType<typeof records.lookUp>> = []
      for (let tries = 0; tries < FIND_TRIES && found.length === 0 && !signal.aborted && libp2p !== undefined; tries++) {
        if (tries > 0) await clock.wait(RETRY_MIN_MS * tries, signal).catch(() => undefined)
        if (!signal.aborted) found = await records.lookUp(libp2p, role, AbortSignal.any([signal, stopping.signal]))
      }
      return found.map(String)
    },
    meet: async (role, { count, signal }) => {
      if (libp2p === undefined) return
      await dialling.some(libp2p, await records.lookUp(libp2p, role, AbortSignal.any([signal, attempt()])), count)
    },
    start: async (started) => {
      stopping = new AbortController()
      libp2p = started
      libp2p.addEventListener('peer:connect', onPeers)
      libp2p.addEventListener('peer:disconnect', onPeers)
      libp2p.addEventListener('self:peer:update', onAddresses)
      told = addresses()
      applyRoles(started)
      loop = run(started)
    },
    stop: async () => {
      libp2p?.removeEventListener('peer:connect', onPeers)
      libp2p?.removeEventListener('peer:disconnect', onPeers)
      libp2p?.removeEventListener('self:peer:update', onAddresses)
      stopping.abort(new Error('the mesh stops'))
      cancelWake()
      cancelAgain?.()
      cancelAgain = undefined
      wake()
      await loop
      libp2p = undefined
    }
  }
}
