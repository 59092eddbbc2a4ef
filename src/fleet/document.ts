import type { Clock } from '../core/clock.ts'
import { CodedError } from '../core/errors.ts'
import type { Signer } from '../identity/signer.ts'
import { decodePart, fleetPartDigest, type Inventory, type PartMark } from '../wire/fleet.ts'
import type { FleetMember, FleetRoster } from '../wire/fleet-roster.ts'
import type { Address } from '../wire/shapes.ts'
import type { Domain } from '../wire/typed-data.ts'
import type { SharedEntries, SharedValue } from './entries.ts'
import { FleetError } from './errors.ts'
import { checkPart, lackedParts, latestOfEach, markPart, type HeldPart, type MarkedPart } from './held.ts'
import { NO_CONTENT, nextParts, sharedEntries } from './next-parts.ts'
import { FLEET } from './options.ts'
import type { PartCodec, PartContent } from './part.ts'
import { assertRoster, isNewerRoster, openRoster } from './roster.ts'
import type { SealKey } from './seal-key.ts'
import type { FleetStore } from './store.ts'

/** The fleet document at one member: the latest part of each member under the latest roster. Changes are made one after the other, on disk before they show. */
export interface FleetDocument {
  readonly self: Address
  readonly roster: FleetRoster
  /** What the members seal with. */
  readonly key: Uint8Array
  memberOf: (peerId: string) => FleetMember | undefined
  /** Which parts are held, by operator in ascending order. */
  marks: () => PartMark[]
  /** Parts that count against those in `have`, up to `maxBytes` together. */
  lackedBy: (have: readonly PartMark[], maxBytes: number) => Uint8Array[]
  part: (operator: Address) => HeldPart | undefined
  /** The entries that count. */
  shared: () => SharedEntries
  /** Takes foreign parts; resolves to how many were news. Rejects with FleetError FLEET_PART or WireError at the first that no honest member passes on; those before it are kept. */
  take: (parts: readonly Uint8Array[]) => Promise<number>
  /** Writes entries as of now. */
  edit: (values: ReadonlyMap<string, SharedValue>) => Promise<void>
  /** States this node's part anew with this inventory. */
  describe: (inventory: Inventory) => Promise<void>
  /** Takes a newer roster of the same account that names this node; false when it is neither. Throws FleetError FLEET_ROSTER, FLEET_MEMBER on one that is not signed or not sound. */
  adopt: (roster: FleetRoster) => Promise<boolean>
  /** The whole as one Yjs update. */
  encodeState: () => Uint8Array
  /** `isNews`: this node wrote something or took a newer roster, so the others should hear of it now. */
  onChange: (listener: (isNews: boolean) => void) => () => void
  /** Resolves when everything asked for so far is done. */
  idle: () => Promise<void>
}

export interface DocumentComponents { signer: Signer, sealKey: SealKey, codec: PartCodec, store: FleetStore, clock: Clock }

/** Opens a document on a roster that names this node and the parts of an earlier run. Throws FleetError FLEET_ROSTER, FLEET_MEMBER, FLEET_NOT_MEMBER. */
export function createFleetDocument (components: DocumentComponents, options: { domain: Domain, roster: FleetRoster, parts: readonly Uint8Array[] }): FleetDocument {
  const { signer, sealKey, codec, store, clock } = components
  const { domain } = options
  const self = signer.address
  const listeners = new Set<(isNews: boolean) => void>()
  assertRoster(domain, options.roster)
  let roster = options.roster
  let key = openRoster(roster, self, sealKey)
  let parts = new Map<Address, HeldPart>()
  let queue: Promise<unknown> = Promise.resolve()

  const isMemberOf = (of: FleetRoster): ((operator: Address) => boolean) => {
    const operators = new Set(of.members.map(({ operator }) => operator))
    return (operator) => operators.has(operator)
  }
  let shared: SharedEntries = new Map()

  const readPart = (bytes: Uint8Array): MarkedPart => markPart(domain, roster.account, decodePart(bytes))
  const check = (part: MarkedPart, latestMs: number): HeldPart | undefined => {
    const isMembers = roster.members.some(({ operator }) => operator === part.operator)
    return isMembers ? checkPart(components, part, parts.get(part.operator), latestMs) : undefined
  }
  const signOwn = (content: PartContent, lastSeq: number): HeldPart => {
    const statement = { operator: self, seq: Math.max(clock.now(), lastSeq + 1), update: codec.encode(self, content) }
    const id = fleetPartDigest(domain, roster.account, statement)
    return { ...statement, id, signature: signer.sign(id), content }
  }
  /** The one place where anything changes: on disk before it shows. */
  const commit = async (change: { roster?: FleetRoster, taken?: readonly HeldPart[], own?: PartContent }): Promise<void> => {
    const isMember = isMemberOf(change.roster ?? roster)
    const { others, own, lastSeq } = nextParts({ self, parts, shared }, { taken: change.taken ?? [], own: change.own, isMember })
    const held = own === undefined ? parts.get(self) : signOwn(own, lastSeq)
    const next = new Map(held === undefined ? others : [...others, [self, held] as const])
    const saved = [...next.values()].filter((part) => parts.get(part.operator)?.id !== part.id)
    const gone = [...parts.keys()].filter((operator) => !next.has(operator))
    await store.save({ ...(change.roster === undefined ? {} : { roster: change.roster }), parts: saved, gone }, { sync: own !== undefined || change.roster !== undefined })
    if (change.roster !== undefined) {
      roster = change.roster
      key = openRoster(roster, self, sealKey)
    }
    parts = next
    shared = sharedEntries(parts, isMember)
    // What was only taken over can wait: else one member could make all others talk by saying and unsaying things.
    const isNews = change.own !== undefined || change.roster !== undefined
    for (const listener of listeners) listener(isNews)
  }
  /** Whoever passes on what the owner did wrong is not at fault. */
  const isOurs = (next: FleetRoster): boolean => {
    try {
      return openRoster(next, self, sealKey).length > 0
    } catch (error) {
      if (error instanceof FleetError) return false
      throw error
    }
  }
  const enqueue = async <T>(work: () => Promise<T>): Promise<T> => {
    const result = queue.then(work)
    queue = result.catch(() => undefined)
    return await result
  }

  /** A part that this version does not read comes again from the others. */
  function readStored (bytes: Uint8Array): HeldPart | undefined {
    try {
      return check(readPart(bytes), Infinity)
    } catch (error) {
      if (error instanceof CodedError) return undefined
      throw error
    }
  }
  for (const bytes of options.parts) {
    const part = readStored(bytes)
    if (part !== undefined) parts.set(part.operator, part)
  }
  shared = sharedEntries(parts, isMemberOf(roster))

  return {
    self,
    get roster () { return roster },
    get key () { return key },
    memberOf: (peerId) => roster.members.find((member) => member.peerId === peerId),
    marks: () => [...parts.values()].map(({ operator, seq, id }) => ({ operator, seq, id })).sort((a, b) => a.operator < b.operator ? -1 : 1),
    lackedBy: (have, maxBytes) => lackedParts(parts, have, maxBytes),
    part: (operator) => parts.get(operator),
    shared: () => shared,
    take: async (received) => await enqueue(async () => {
      const latestMs = clock.now() + FLEET.skewMs
      const taken: HeldPart[] = []
      let fault: unknown
      try {
        // One of each operator: else a member could have sixty of its own looked at for the price of one message.
        for (const part of latestOfEach(received.map(readPart))) {
          const checked = check(part, latestMs)
          if (checked !== undefined) taken.push(checked)
        }
      } catch (error) {
        fault = error
      }
      if (taken.length > 0) await commit({ taken })
      if (fault !== undefined) throw fault
      return taken.length
    }),
    edit: async (values) => {
      await enqueue(async () => {
        const current = parts.get(self)?.content ?? NO_CONTENT
        const written = [...values].map(([name, value]) => [name, { value, at: Math.max(clock.now(), (shared.get(name)?.at ?? -1) + 1) }] as const)
        await commit({ own: { ...current, entries: new Map([...current.entries, ...written]) } })
      })
    },
    describe: async (inventory) => {
      await enqueue(async () => { await commit({ own: { ...(parts.get(self)?.content ?? NO_CONTENT), inventory: { at: clock.now(), value: inventory } } }) })
    },
    adopt: async (next) => await enqueue(async () => {
      if (next.account !== roster.account || next.version < roster.version || !isNewerRoster(domain, next, roster)) return false
      assertRoster(domain, next)
      if (!isOurs(next)) return false
      await commit({ roster: next })
      return true
    }),
    encodeState: () => codec.encodeDocument([...parts].sort(([a], [b]) => a < b ? -1 : 1).map(([operator, { content }]) => [operator, content] as const)),
    onChange: (listener) => {
      listeners.add(listener)
      return () => { listeners.delete(listener) }
    },
    idle: async () => { await queue }
  }
}
