import type { Clock } from '../core/clock.ts'
import { errorMessage } from '../core/errors.ts'
import type { Startable } from '../core/lifecycle.ts'
import type { Logger } from '../core/logger.ts'
import type { Signer } from '../identity/signer.ts'
import type { Mesh } from '../mesh/mesh.ts'
import { ALL_ROLES, delegationDigest, type Delegation } from '../wire/delegation.ts'
import { decodeHello, encodeHello, HELLO_PROTOCOL, HELLO_QUESTION, MAX_HELLO_BYTES } from '../wire/hello.ts'
import type { Address } from '../wire/shapes.ts'
import { recoverSigner } from '../wire/signature.ts'
import type { Domain } from '../wire/typed-data.ts'

/** Who is behind the connected peers. */
export interface Contacts extends Startable {
  peerOf: (account: Address) => string | undefined
}

/** A greeting is a signature and a small message; a peer that takes longer is asked again when it reconnects. */
const HELLO_TIMEOUT_MS = 5_000
const VALID_SECONDS = 86_400
const MAX_CONTACTS = 10_000

export function createContacts (components: { mesh: Mesh, signer: Signer, clock: Clock, logger: Logger, domain: Domain }, options: { roles: readonly string[] }): Contacts {
  const { mesh, signer, clock, logger, domain } = components
  const peers = new Map<Address, string>()
  const stops: Array<() => void> = []

  const own = (): Delegation => {
    const now = Math.floor(clock.now() / 1000)
    const statement = { account: signer.address, operator: signer.address, peerId: mesh.peerId, roles: ALL_ROLES, notBefore: now - 60, expiry: now + VALID_SECONDS, nonce: now }
    return { ...statement, signature: signer.sign(delegationDigest(domain, statement)) }
  }

  const greet = async (peerId: string): Promise<void> => {
    const bytes = await mesh.requests.request(peerId, HELLO_PROTOCOL, HELLO_QUESTION, { signal: AbortSignal.timeout(HELLO_TIMEOUT_MS), maxBytes: MAX_HELLO_BYTES })
    const { delegation } = decodeHello(bytes)
    const now = Math.floor(clock.now() / 1000)
    const valid = delegation.peerId === peerId && delegation.notBefore <= now && now < delegation.expiry && recoverSigner(delegationDigest(domain, delegation), delegation.signature) === delegation.account
    if (!valid) {
      mesh.penalise(peerId, 10, 'hello that is not its own')
      return
    }
    peers.set(delegation.operator, peerId)
    if (peers.size > MAX_CONTACTS) peers.delete(peers.keys().next().value as Address)
  }

  const tryGreet = (peerId: string): void => {
    greet(peerId).catch((error: unknown) => { logger.debug('hello', { peerId, error: errorMessage(error) }) })
  }

  return {
    peerOf: (account) => peers.get(account),
    start: async () => {
      const limits = { maxBytes: 16, perPeerPerSecond: 2, concurrency: 64, timeoutMs: HELLO_TIMEOUT_MS }
      stops.push(
        mesh.requests.serve(HELLO_PROTOCOL, limits, async () => await Promise.resolve(encodeHello({ delegation: own(), roles: [...options.roles] }))),
        mesh.onPeer(({ peerId, type }) => { if (type === 'connect') tryGreet(peerId) })
      )
      for (const { peerId } of mesh.peers()) tryGreet(peerId)
      await Promise.resolve()
    },
    stop: async () => {
      for (const stop of stops) stop()
      await Promise.resolve()
    }
  }
}
