import type { Author } from '../book/author.ts'
import type { BookReplica } from '../book/replica.ts'
import type { Chain } from '../chain/chain.ts'
import type { Ledger } from '../chain/ledger/ledger.ts'
import type { Network } from '../config/network.ts'
import type { NetworkPaths } from '../config/paths.ts'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Random } from '../core/random.ts'
import type { Fleet } from '../fleet/fleet.ts'
import type { Signer } from '../identity/signer.ts'
import type { Mesh } from '../mesh/mesh.ts'
import type { AuctionView } from '../roles/auction.ts'
import type { Contacts } from '../roles/contacts.ts'
import type { DealRoom } from '../roles/deal-room.ts'
import type { Eligibility } from '../roles/eligibility.ts'
import type { NetworkClock } from '../roles/network-clock.ts'
import type { Orders } from '../roles/orders.ts'
import type { Blocks } from '../store/blocks.ts'
import type { Datastore } from '../store/datastore.ts'
import type { Hash } from '../wire/shapes.ts'
import type { Domain } from '../wire/typed-data.ts'
import type { Machine } from './machine.ts'
import type { NodeOptions } from './options.ts'

/** What a node has once, however many networks it is on (protocol/network.md). */
export interface SharedParts {
  options: NodeOptions
  /** The names of its networks, the first being what it answers for unasked. */
  names: readonly string[]
  clock: Clock
  random: Random
  signer: Signer
  /** Where the peer key is. */
  identity: Datastore
  machine: Machine
}

/** Every part of a node on one network that roles are made of. Only this folder sees them all. */
export interface NodeParts extends SharedParts {
  paths: NetworkPaths
  network: Network
  parametersHash: Hash
  saltSecret: Hash
  domain: Domain
  /** The same as peers correct it: for the auction. */
  networkClock: NetworkClock
  logger: Logger
  datastore: Datastore
  chain: Chain
  ledger: Ledger
  orders: Orders
  mesh: Mesh
  blocks: Blocks
  replica: BookReplica
  author: Author
  eligibility: Eligibility
  contacts: Contacts
  auction: AuctionView
  room: DealRoom
  fleet: Fleet
}
