import type { PeerInfo } from '@libp2p/interface'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import { errorMessage } from '../core/errors.ts'
import type { Datastore } from '../store/datastore.ts'
import { identifyAgain, type IdentifyingNode } from './identify-again.ts'
import { roleToCid } from './roles.ts'
import { isKeyMismatch, KEY_HINT } from './swarm-key.ts'
import { ATTEMPT_TIMEOUT_MS, DIALS_PER_ROUND, LOOKUP_GAP_MS, PROVIDE_AGAIN_MS, RETRY_MAX_MS, RETRY_MIN_MS, ROLE_RENEW_MS } from './options.ts'

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
const ROLES_KEY = 'mesh/roles'
const FIND_TRIES = 3

export interface Discovery extends RoleDirectory { start: (libp2p: IdentifyingNode) => Promise<void>, stop: () => Promise<void> }

/**
 * Keeps the node connected: bootstrap addresses, peers of earlier runs, and the role directory, with back-off, for ever. `standing` are
 * roles that the node has for as long as it runs, whatever is announced.
 */
export function createDiscovery (components: { clock: Clock, logger: Logger, datastore: Datastore, isGraylisted: (peer: string) => boolean }, options: { network: string, bootstrap: readonly string[], targetPeers: number, standing: readonly string[], hasKey: boolean }): Discovery {
  const { clock, logger, datastore } = components
  const backoff = new Map<string, { waitMs: number, nextMs: number }>()
  const provided = new Map<string, number>()
  const warned = new Set<string>()
  let roles: readonly string[] = []
  let libp2p: IdentifyingNode | undefined
  let stopping = new AbortController()
  let loop: Promise<void> = Promise.resolve()
  let wake = (): void => undefined
  let cancelWake = (): void => undefined
  let cancelAgain: (() => void) | undefined
  let nextLookupMs = 0
  let told = ''

  const addresses = (): string => libp2p?.getMultiaddrs().map(String).sort().join() ?? ''
  const attempt = (): AbortSignal => AbortSignal.any([stopping.signal, AbortSignal.timeout(ATTEMPT_TIMEOUT_MS)])
  const connected = (): Set<string> => new Set(libp2p?.getPeers().map(String))
  /** Dials unless it failed recently; a failure doubles the pause. */
  const tryDial = async (key: string, dial: (signal: AbortSignal) => Promise<unknown>): Promise<void> => {
    const state = backoff.get(key)
    if (state !== undefined && state.nextMs > clock.now()) return
    try {
      await dial(attempt())
      backoff.delete(key)
    } catch (error) {
      const waitMs = Math.min(RETRY_MAX_MS, (state?.waitMs ?? RETRY_MIN_MS / 2) * 2)
      backoff.set(key, { waitMs, nextMs: clock.now() + waitMs })
      logger.debug('dial failed', { to: key, waitMs, error: errorMessage(error) })
      if (!options.bootstrap.includes(key) || warned.has(key) || !isKeyMismatch(error, options.hasKey)) return
      // Once per address: the owner has to do something, the node goes on trying.
      warned.add(key)
      logger.warn('no understanding with a bootstrap node', { address: key, hint: KEY_HINT })
    }
  }
  const joinBootstrap = async (): Promise<void> => {
    const { multiaddr } = await import('@multiformats/multiaddr')
    const peers = connected()
    const open = new Set(libp2p?.getConnections().map((connection) => connection.remoteAddr.toString().split('/p2p/')[0]))
    await Promise.all(options.bootstrap.map(async (text) => {
      const [plain = text, id] = text.split('/p2p/')
      if (id === undefined ? open.has(plain) : peers.has(id)) return
      if (id === libp2p?.peerId.toString()) return
      await tryDial(text, async (signal) => await libp2p?.dial(multiaddr(text), { signal }))
    }))
  }
  const dialPeers = async (candidates: readonly PeerInfo['id'][]): Promise<void> => {
    const peers = connected()
    const missing = options.targetPeers - peers.size
    if (missing > 0) await dialSome(candidates, Math.min(DIALS_PER_ROUND, missing + 2))
  }
  const dialSome = async (candidates: readonly PeerInfo['id'][], count: number): Promise<void> => {
    const peers = connected()
    const ready = candidates.filter((id) => !peers.has(id.toString()) && !id.equals(libp2p?.peerId) && !components.isGraylisted(id.toString()) && (backoff.get(id.toString())?.nextMs ?? 0) <= clock.now())
    await Promise.all(ready.slice(0, count).map(async (id) => {
      await tryDial(id.toString(), async (signal) => await libp2p?.dial(id, { signal }))
    }))
  }
  const lookUp = async (role: string, signal: AbortSignal): Promise<PeerInfo['id'][]> => {
    const found = new Map<string, PeerInfo['id']>()
    try {
      for await (const provider of libp2p?.contentRouting.findProviders(await roleToCid(options.network, role), { signal }) ?? []) {
        if (provider.id.equals(libp2p?.peerId)) continue
        if (provider.multiaddrs.length > 0) await libp2p?.peerStore.merge(provider.id, { multiaddrs: provider.multiaddrs })
        else if (!(await libp2p?.peerStore.has(provider.id) ?? false)) continue
        found.set(provider.id.toString(), provider.id)
      }
    } catch (error) {
      logger.debug('role lookup ended', { role, found: found.size, error: errorMessage(error) })
    }
    return [...found.values()]
  }
  /** Puts our records where the DHT looks for them; again when there are new peers, whose table is part of the answer. */
  const provide = async (): Promise<void> => {
    // The directory drops a record without an address: a node without one waits for its relay.
    if (connected().size === 0 || addresses() === '') return
    for (const role of [...options.standing, ...roles]) {
      if ((provided.get(role) ?? 0) > clock.now()) continue
      try {
        await libp2p?.contentRouting.provide(await roleToCid(options.network, role), { signal: attempt() })
        provided.set(role, clock.now() + ROLE_RENEW_MS)
      } catch (error) {
        logger.debug('role not announced', { role, error: errorMessage(error) })
      }
    }
  }
  const round = async (): Promise<void> => {
    await joinBootstrap()
    if (connected().size < options.targetPeers) {
      const known = await libp2p?.peerStore.all() ?? []
      await dialPeers(known.filter((peer) => peer.addresses.length > 0).map((peer) => peer.id))
    }
    await provide()
    if (connected().size > 0 && connected().size < options.targetPeers && clock.now() >= nextLookupMs) {
      nextLookupMs = clock.now() + LOOKUP_GAP_MS
      if (libp2p !== undefined) await identifyAgain({ clock, logger }, libp2p, attempt())
      await dialPeers(await lookUp(ANY_ROLE, attempt()))
    }
  }
  /** Rounds follow quickly while something changes, and slow down to RETRY_MAX_MS while nothing does. */
  const run = async (): Promise<void> => {
    let waitMs = RETRY_MIN_MS
    let seen = -1
    while (!stopping.signal.aborted) {
      await round().catch((error: unknown) => { logger.debug('discovery round failed', { error: errorMessage(error) }) })
      const now = connected().size
      waitMs = now === seen ? Math.min(RETRY_MAX_MS, waitMs * 2) : RETRY_MIN_MS
      seen = now
      const woken = new Promise<void>((resolve) => { wake = resolve })
      const pause = new AbortController()
      await Promise.race([woken, clock.wait(waitMs, AbortSignal.any([stopping.signal, pause.signal])).catch(() => undefined)])
      pause.abort()
    }
  }
  const onPeers = (): void => {
    // With up to k = 20 peers each of them holds our record; in larger networks the DHT's own renewal is enough.
    if (connected().size <= 20 && provided.size > 0) {
      cancelAgain ??= clock.after(PROVIDE_AGAIN_MS, () => {
        cancelAgain = undefined
        provided.clear()
        wake()
      })
    }
    // A burst of events makes one round: the next one starts after the shortest pause.
    cancelWake()
    cancelWake = clock.after(RETRY_MIN_MS, () => { wake() })
  }
  /** A relay gained or lost: the records that others hold of us name addresses which are not ours any more. */
  const onAddresses = (): void => {
    const now = addresses()
    if (now === told) return
    told = now
    provided.clear()
    cancelWake()
    cancelWake = clock.after(RETRY_MIN_MS, () => { wake() })
  }
  /** A role given up must not be renewed by libp2p, which keeps its own list on disk. */
  const saveRoles = async (): Promise<void> => {
    const stored = await datastore.get(ROLES_KEY)
    const before: unknown = stored === undefined ? [] : JSON.parse(new TextDecoder().decode(stored))
    for (const role of Array.isArray(before) ? before.map(String) : []) {
      if (!roles.includes(role)) await libp2p?.contentRouting.cancelReprovide(await roleToCid(options.network, role))
    }
    await datastore.put(ROLES_KEY, new TextEncoder().encode(JSON.stringify(roles)))
  }
  const applyRoles = (): void => {
    saveRoles().catch((error: unknown) => { logger.debug('roles not saved', { error: errorMessage(error) }) })
    wake()
  }
  return {
    announce: (next) => {
      roles = [...new Set(next)]
      for (const role of provided.keys()) if (!options.standing.includes(role)) provided.delete(role)
      if (libp2p !== undefined) applyRoles()
    },
    find: async (role, { signal }) => {
      let found: PeerInfo['id'][] = []
      for (let tries = 0; tries < FIND_TRIES && found.length === 0 && !signal.aborted && libp2p !== undefined; tries++) {
        if (tries > 0) await clock.wait(RETRY_MIN_MS * tries, signal).catch(() => undefined)
        if (!signal.aborted) found = await lookUp(role, AbortSignal.any([signal, stopping.signal]))
      }
      return found.map(String)
    },
    meet: async (role, { count, signal }) => { await dialSome(await lookUp(role, AbortSignal.any([signal, attempt()])), count) },
    start: async (started) => {
      stopping = new AbortController()
      libp2p = started
      libp2p.addEventListener('peer:connect', onPeers)
      libp2p.addEventListener('peer:disconnect', onPeers)
      libp2p.addEventListener('self:peer:update', onAddresses)
      told = addresses()
      applyRoles()
      loop = run()
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
