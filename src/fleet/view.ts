import type { Inventory, WantedState } from '../wire/fleet.ts'
import type { Address } from '../wire/shapes.ts'
import type { FleetDocument } from './document.ts'
import { PRICE_KEY, priceKey, stateKey } from './entries.ts'
import { FleetError } from './errors.ts'
import type { FleetLink } from './sync.ts'

/** A member as this node knows it. Prices are in 1/10,000 of the reference prices. */
export interface FleetNodeView {
  name: string
  operator: string
  peerId: string
  isSelf: boolean
  /** What the fleet asks of it, and what it says itself; `unknown` until it has said something. */
  wanted: WantedState
  state: Inventory['state'] | 'unknown'
  /** The fleet's price for it, if there is one. */
  priceBp: number | null
  /** When it last stated its part, unix ms by its own clock. */
  seenAtMs: number | null
  inventory: Inventory | null
  link: FleetLink | null
}
export interface FleetView { account: string, version: number, self: string, minAskBp: number, maxAskBp: number, priceBp: number | null, nodes: FleetNodeView[] }

/** Whether the fleet lets a node take new deals. */
export function wantedState (document: FleetDocument, operator: Address): WantedState {
  const value = document.shared().get(stateKey(operator))?.value
  return value === 'cordon' || value === 'drain' ? value : 'open'
}

/** The fleet's price for a node within the roster's bounds, bp; null when it leaves that to the node. */
export function fleetPrice (document: FleetDocument, operator: Address): number | null {
  const { minAskBp, maxAskBp } = document.roster
  for (const key of [priceKey(operator), PRICE_KEY]) {
    const value = document.shared().get(key)?.value
    if (typeof value === 'number') return Math.min(maxAskBp, Math.max(minAskBp, value))
  }
  return null
}

/** The operator that a name or an address means. Throws FleetError FLEET_UNKNOWN_NODE. */
export function operatorOf (document: FleetDocument, node: string): Address {
  const { members } = document.roster
  const member = members.find(({ name }) => name === node) ?? members.find(({ operator }) => operator === node.toLowerCase())
  if (member === undefined) throw new FleetError('FLEET_UNKNOWN_NODE', `no node "${node}" in the fleet`, { data: { node, nodes: members.map(({ name }) => name) }, hint: 'List them with "lilynode fleet ls".' })
  return member.operator
}

/** The document for its owner. */
export function fleetView (document: FleetDocument, linkOf: (operator: Address) => FleetLink | undefined): FleetView {
  const { account, version, minAskBp, maxAskBp, members } = document.roster
  const price = document.shared().get(PRICE_KEY)?.value
  return {
    account, version, minAskBp, maxAskBp,
    self: members.find(({ operator }) => operator === document.self)?.name ?? '',
    priceBp: typeof price === 'number' ? price : null,
    nodes: members.map(({ name, operator, peerId }) => {
      const part = document.part(operator)
      const inventory = part?.content.inventory?.value ?? null
      return {
        name, operator, peerId, inventory, isSelf: operator === document.self, wanted: wantedState(document, operator), state: inventory?.state ?? 'unknown',
        priceBp: fleetPrice(document, operator), seenAtMs: part?.seq ?? null, link: linkOf(operator) ?? null
      }
    })
  }
}
