import type { Clock } from '../core/clock.ts'
import { errorCode, errorMessage } from '../core/errors.ts'
import type { Startable } from '../core/lifecycle.ts'
import type { Logger } from '../core/logger.ts'
import type { Random } from '../core/random.ts'
import type { Signer } from '../identity/signer.ts'
import type { Mesh } from '../mesh/mesh.ts'
import type { Datastore } from '../store/datastore.ts'
import type { WantedState } from '../wire/fleet.ts'
import type { FleetRoster } from '../wire/fleet-roster.ts'
import type { Hash } from '../wire/shapes.ts'
import type { Domain } from '../wire/typed-data.ts'
import { createFleetDocument, type FleetDocument } from './document.ts'
import { PRICE_KEY, priceKey, stateKey } from './entries.ts'
import { FleetError } from './errors.ts'
import { createInventoryTeller, type FleetFacts, type InventoryTeller } from './inventory.ts'
import { loadPartCodec } from './part.ts'
import { assertRoster, openRoster } from './roster.ts'
import { sealKeyOf } from './seal-key.ts'
import { serveFleet } from './serve.ts'
import { createFleetStore } from './store.ts'
import { createFleetSync, type FleetSync } from './sync.ts'
import { fleetPrice, fleetView, operatorOf, wantedState, type FleetView } from './view.ts'

/** What the fleet asks of this node: nothing while it is in none. */
export interface FleetPolicy {
  isOpen: () => boolean
  /** Its price in 1/10,000 of the reference prices, unless that is left to the node. */
  askBp: () => number | undefined
}

/** This node's place in a fleet, if it is in one. Yjs is loaded when it is. */
export interface Fleet extends Startable, FleetPolicy {
  /** X25519 public key that rosters are sealed for this node with. */
  readonly sealKey: Hash
  /** Joins, or takes a newer roster, at the word of the node's owner; one of another account takes the place of the fleet before. Rejects with FleetError FLEET_ROSTER, FLEET_MEMBER, FLEET_NOT_MEMBER. */
  use: (roster: FleetRoster) => Promise<void>
  /** The others reject or throw FleetError FLEET_NONE while the node is in no fleet; FLEET_UNKNOWN_NODE, FLEET_PRICE. */
  view: () => FleetView
  setState: (node: string, state: WantedState) => Promise<void>
  /** For one node or, without `node`, for all; null leaves it to the nodes. */
  setPrice: (node: string | undefined, priceBp: number | null) => Promise<void>
  /** The document as one Yjs update, to be read as a new document. */
  encodeState: () => Uint8Array
  /** Names who tells what this node has, from now on. */
  reportBy: (facts: () => FleetFacts) => void
  /** The facts may have changed. */
  touch: () => void
  /** Something in the document may have changed. */
  onChange: (listener: () => void) => () => void
}

interface Active { document: FleetDocument, sync: FleetSync, teller: InventoryTeller, stop: () => Promise<void> }

export interface FleetComponents { mesh: Pick<Mesh, 'requests' | 'peerId' | 'penalise' | 'peers' | 'onPeer'>, datastore: Pick<Datastore, 'get' | 'batch' | 'entries'>, signer: Signer, clock: Clock, random: Pick<Random, 'bytes'>, logger: Logger }

export function createFleet (components: FleetComponents, options: { domain: Domain, facts: FleetFacts }): Fleet {
  const { signer, clock, mesh, logger } = components
  const { domain } = options
  const store = createFleetStore(components)
  const sealKey = sealKeyOf(signer)
  const listeners = new Set<() => void>()
  let facts = (): FleetFacts => options.facts
  let active: Active | undefined

  const running = (): Active => {
    if (active === undefined) throw new FleetError('FLEET_NONE', 'this node is in no fleet', { hint: 'Give it a roster that names it: "lilynode fleet use FILE", or "lilynode start --fleet FILE".' })
    return active
  }
  const deactivate = async (): Promise<void> => {
    const leaving = active
    active = undefined
    await leaving?.stop()
  }
  const assertOurs = (roster: FleetRoster): void => {
    assertRoster(domain, roster)
    openRoster(roster, signer.address, sealKey)
    const named = roster.members.find(({ operator }) => operator === signer.address)?.peerId
    if (named !== mesh.peerId) throw new FleetError('FLEET_NOT_MEMBER', `the roster names this node's key with peer ${String(named)}; it is ${mesh.peerId}`, { data: { named, peerId: mesh.peerId }, hint: 'Add the node again with the card that "lilynode keys --json" prints in its data folder.' })
  }
  const activate = async (roster: FleetRoster, parts: readonly Uint8Array[]): Promise<void> => {
    const document = createFleetDocument({ signer, sealKey, codec: await loadPartCodec(), store, clock }, { domain, roster, parts })
    const sync = createFleetSync({ ...components, document })
    const teller = createInventoryTeller({ document, clock, logger }, { facts: () => facts() })
    const stopServing = serveFleet({ ...components, document })
    const leave = document.onChange(() => {
      for (const listener of listeners) listener()
      teller.touch()
    })
    active = { document, sync, teller, stop: async () => { leave(); teller.stop(); stopServing(); await sync.stop(); await document.idle() } }
    sync.start()
    teller.start()
    logger.info('fleet.joined', { account: roster.account, version: roster.version, members: roster.members.map(({ name }) => name) })
    for (const listener of listeners) listener()
  }
  return {
    sealKey: sealKey.publicKey,
    isOpen: () => active === undefined || wantedState(active.document, active.document.self) === 'open',
    askBp: () => active === undefined ? undefined : fleetPrice(active.document, active.document.self) ?? undefined,
    use: async (roster) => {
      assertOurs(roster)
      if (active?.document.roster.account === roster.account) {
        await active.document.adopt(roster)
        return
      }
      await deactivate()
      await store.clear()
      await store.save({ roster, parts: [], gone: [] }, { sync: true })
      await activate(roster, [])
    },
    view: () => {
      const { document, sync } = running()
      return fleetView(document, sync.link)
    },
    setState: async (node, wanted) => {
      const { document } = running()
      await document.edit(new Map([[stateKey(operatorOf(document, node)), wanted]]))
    },
    setPrice: async (node, priceBp) => {
      const { document } = running()
      const { minAskBp, maxAskBp, account } = document.roster
      if (priceBp !== null && (priceBp < minAskBp || priceBp > maxAskBp)) throw new FleetError('FLEET_PRICE', `${priceBp / 10_000} is not from ${minAskBp / 10_000} to ${maxAskBp / 10_000}, the bounds of this fleet`, { data: { priceBp, minAskBp, maxAskBp }, hint: `The holder of ${account} sets other bounds with "lilynode fleet bounds".` })
      await document.edit(new Map([[node === undefined ? PRICE_KEY : priceKey(operatorOf(document, node)), priceBp]]))
    },
    encodeState: () => running().document.encodeState(),
    reportBy: (source) => {
      facts = source
      active?.teller.touch()
    },
    touch: () => { active?.teller.touch() },
    onChange: (listener) => {
      listeners.add(listener)
      return () => { listeners.delete(listener) }
    },
    start: async () => {
      const left = await store.load()
      if (left === undefined) return
      try {
        assertOurs(left.roster)
        await activate(left.roster, left.parts)
      } catch (error) {
        // The folder's key is another one now: a node that does not start would help nobody.
        logger.warn('fleet.left', { account: left.roster.account, code: errorCode(error), error: errorMessage(error) })
      }
    },
    stop: async () => {
      await deactivate()
    }
  }
}
