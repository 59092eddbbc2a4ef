import type { Clock } from '../core/clock.ts'
import { CodedError } from '../core/errors.ts'
import type { Signer } from '../identity/signer.ts'
import { decodePart, encodePart, fleetPartDigest, type FleetPart, type Inventory, type PartMark } from '../wire/fleet.ts'
import type { FleetMember, FleetRoster } from '../wire/fleet-roster.ts'
import type { Address } from '../wire/shapes.ts'
import { recoverSigner } from '../wire/signature.ts'
import type { Domain } from '../wire/typed-data.ts'
import { isLater, lostEntries, mergeEntries, type Entry, type SharedEntries, type SharedValue } from './entries.ts'
import { FleetError } from './errors.ts'
import { FLEET } from './options.ts'
import type { PartCodec, PartContent } from './part.ts'
import { assertRoster, isNewerRoster, openRoster } from './roster.ts'
import type { SealKey } from './seal-key.ts'
import type { FleetStore } from './store.ts'

/** A part that was checked, with its values. */
export interface HeldPart extends FleetPart, PartMark { readonly content: PartContent }

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
  /** `isNews`: the others do not know it yet, since this node's own part or the roster changed. */
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
  const merge = (of: FleetRoster, held: ReadonlyMap<Address, HeldPart>): SharedEntries => mergeEntries([...held].map(([operator, { content }]) => [operator, content.entries] as const), isMemberOf(of))
  let shared: SharedEntries = new Map()

  const markOf = (part: FleetPart): FleetPart & PartMark => ({ ...part, id: fleetPartDigest(domain, roster.account, part) })
  /** Checks a foreign part in the order of cost; undefined when it is no news or nobody's. */
  const check = (part: FleetPart & PartMark, latestMs: number): HeldPart | undefined => {
    const held = parts.get(part.operator)
    if (!roster.members.some(({ operator }) => operator === part.operator)) return undefined
    if (part.seq > latestMs || (held !== undefined && !isNewerMark(part, held))) return undefined
    if (recoverSigner(part.id, part.signature) !== part.operator) throw new FleetError('FLEET_PART', 'a part is not signed by its operator', { data: { operator: part.operator } })
    const content = codec.decode(part.operator, part.update)
    // Not its sender's fault: a member whose clock is ahead may have taken over what is too early for us.
    return latestOf(content) > latestMs ? undefined : { ...part, content }
  }
  /** Own entries worth keeping: those that no later one of another member beats. */
  const pruned = (content: PartContent, winners: SharedEntries): PartContent => ({
    ...content,
    entries: new Map([...content.entries].filter(([name, entry]) => { const winner = winners.get(name); return winner !== undefined && !isLater(winner, entry) }))
  })
  const signOwn = (content: PartContent, lastSeq: number): HeldPart => {
    const statement = { operator: self, seq: Math.max(clock.now(), lastSeq + 1), update: codec.encode(self, content) }
    const id = fleetPartDigest(domain, roster.account, statement)
    return { ...statement, id, signature: signer.sign(id), content }
  }
  /** The one place where anything changes: nothing that counted is lost by it, and it is on disk before it shows. */
  const commit = async (change: { roster?: FleetRoster, taken?: readonly HeldPart[], own?: PartContent }): Promise<void> => {
    const nextRoster = change.roster ?? roster
    const isMember = isMemberOf(nextRoster)
    const next = new Map([...parts].filter(([operator]) => isMember(operator)))
    let own = change.own
    let lastSeq = parts.get(self)?.seq ?? 0
    for (const part of change.taken ?? []) {
      if (part.operator !== self) { next.set(part.operator, part); continue }
      // Our own words from before this disk was lost or restored: they are ours to go on with.
      own = joined(own ?? parts.get(self)?.content, part.content)
      lastSeq = Math.max(lastSeq, part.seq)
    }
    const current = own ?? parts.get(self)?.content ?? { entries: new Map<string, Entry>() }
    const withOwn = (content: PartContent): SharedEntries => mergeEntries([...[...next].filter(([operator]) => operator !== self).map(([operator, part]) => [operator, part.content.entries] as const), [self, content.entries] as const], isMember)
    const lost = lostEntries(shared, withOwn(current), isMember)
    if (lost.size > 0) own = { ...current, entries: new Map([...current.entries, ...lost]) }
    if (own !== undefined) next.set(self, signOwn(pruned(own, withOwn(own)), lastSeq))
    const saved = [...next.values()].filter((part) => parts.get(part.operator)?.id !== part.id)
    await store.save({ ...(change.roster === undefined ? {} : { roster: change.roster }), parts: saved, gone: [...parts.keys()].filter((operator) => !next.has(operator)) }, { sync: own !== undefined || change.roster !== undefined })
    if (change.roster !== undefined) key = openRoster(change.roster, self, sealKey)
    roster = nextRoster
    parts = next
    shared = merge(roster, parts)
    for (const listener of listeners) listener(own !== undefined || change.roster !== undefined)
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
      return check(markOf(decodePart(bytes)), Infinity)
    } catch (error) {
      if (error instanceof CodedError) return undefined
      throw error
    }
  }
  for (const bytes of options.parts) {
    const part = readStored(bytes)
    if (part !== undefined) parts.set(part.operator, part)
  }
  shared = merge(roster, parts)

  return {
    self,
    get roster () { return roster },
    get key () { return key },
    memberOf: (peerId) => roster.members.find((member) => member.peerId === peerId),
    marks: () => [...parts.values()].map(({ operator, seq, id }) => ({ operator, seq, id })).sort((a, b) => a.operator < b.operator ? -1 : 1),
    lackedBy: (have, maxBytes) => {
      const known = new Map(have.map((mark) => [mark.operator, mark]))
      const lacked: Uint8Array[] = []
      let size = 0
      for (const part of parts.values()) {
        const mark = known.get(part.operator)
        if (mark !== undefined && !isNewerMark(part, mark)) continue
        const bytes = encodePart(part)
        // The overhead of a byte string in CBOR is five bytes at most.
        size += bytes.length + 5
        if (size > maxBytes) break
        lacked.push(bytes)
      }
      return lacked
    },
    part: (operator) => parts.get(operator),
    shared: () => shared,
    take: async (received) => await enqueue(async () => {
      const latestMs = clock.now() + FLEET.skewMs
      const taken: HeldPart[] = []
      let fault: unknown
      try {
        // One of each operator: else a member could have sixty of its own looked at for the price of one message.
        for (const part of latestOfEach(received.map((bytes) => markOf(decodePart(bytes))))) {
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
        const current = parts.get(self)?.content ?? { entries: new Map<string, Entry>() }
        const written = [...values].map(([name, value]) => [name, { value, at: Math.max(clock.now(), (shared.get(name)?.at ?? -1) + 1) }] as const)
        await commit({ own: { ...current, entries: new Map([...current.entries, ...written]) } })
      })
    },
    describe: async (inventory) => {
      await enqueue(async () => { await commit({ own: { entries: parts.get(self)?.content.entries ?? new Map<string, Entry>(), inventory: { at: clock.now(), value: inventory } } }) })
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

/** Whether a part takes the place of another of the same operator: the same answer everywhere, also for two of one seq. */
function isNewerMark (a: PartMark, b: PartMark): boolean {
  return a.seq !== b.seq ? a.seq > b.seq : a.id > b.id
}

/** The time of the latest entry. */
function latestOf ({ entries, inventory }: PartContent): number {
  return Math.max(inventory?.at ?? 0, ...[...entries.values()].map(({ at }) => at))
}

/** Of several parts of one operator the one that counts. */
function latestOfEach<P extends PartMark> (parts: readonly P[]): P[] {
  const latest = new Map<Address, P>()
  for (const part of parts) {
    const other = latest.get(part.operator)
    if (other === undefined || isNewerMark(part, other)) latest.set(part.operator, part)
  }
  return [...latest.values()]
}

/** Two maps of one member as one: the later entry of each key. */
function joined (a: PartContent | undefined, b: PartContent): PartContent {
  if (a === undefined) return b
  const entries = new Map(a.entries)
  for (const [key, entry] of b.entries) {
    const other = entries.get(key)
    if (other === undefined || isLater(entry, other)) entries.set(key, entry)
  }
  return { ...a, entries }
}
