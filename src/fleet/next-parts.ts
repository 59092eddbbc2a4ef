import type { Address } from '../wire/shapes.ts'
import { isLater, lostEntries, mergeEntries, type Entry, type SharedEntries } from './entries.ts'
import type { HeldPart, HeldParts } from './held.ts'
import type { PartContent } from './part.ts'

export const NO_CONTENT: PartContent = { entries: new Map<string, Entry>() }

/** The entries that count among these parts. */
export function sharedEntries (parts: Iterable<readonly [Address, { content: PartContent }]>, isMember: (operator: Address) => boolean): SharedEntries {
  return mergeEntries([...parts].map(([operator, { content }]) => [operator, content.entries] as const), isMember)
}

/** What a change of parts or members makes of a document, up to signing: pure. */
export interface Next {
  /** The others' parts. */
  others: Map<Address, HeldPart>
  /** This node's content where it has to be signed anew. */
  own: PartContent | undefined
  /** No own part may have a seq up to this. */
  lastSeq: number
}

/**
 * Puts `taken` in place of what they replace, drops who is no member, and sees to it that no entry that counted is lost:
 * what would be goes into this node's own map, unchanged (protocol/fleet.md, "Entries outlive their writer").
 */
export function nextParts (before: { self: Address, parts: HeldParts, shared: SharedEntries }, change: { taken: readonly HeldPart[], own: PartContent | undefined, isMember: (operator: Address) => boolean }): Next {
  const { self, parts, shared } = before
  const { isMember } = change
  const others = new Map([...parts].filter(([operator]) => operator !== self && isMember(operator)))
  const held = parts.get(self)
  let own = change.own
  let lastSeq = held?.seq ?? 0
  for (const part of change.taken) {
    if (part.operator !== self) { others.set(part.operator, part); continue }
    // Our own words from before this disk was lost: what we say now has to come after them. Who held them takes over what they said.
    own ??= held?.content ?? NO_CONTENT
    lastSeq = Math.max(lastSeq, part.seq)
  }
  const sharedWith = (content: PartContent): SharedEntries => sharedEntries([...others, [self, { content }] as const], isMember)
  const current = own ?? held?.content ?? NO_CONTENT
  const lost = lostEntries(shared, sharedWith(current), isMember)
  if (lost.size > 0) own = { ...current, entries: new Map([...current.entries, ...lost]) }
  return { others, lastSeq, own: own === undefined ? undefined : pruned(own, sharedWith(own)) }
}

/** Without entries that a later one of another member beats, or whose node has left: a part holds what lives. */
function pruned (content: PartContent, winners: SharedEntries): PartContent {
  const isWorthKeeping = ([key, entry]: readonly [string, Entry]): boolean => {
    const winner = winners.get(key)
    return winner !== undefined && !isLater(winner, entry)
  }
  return { ...content, entries: new Map([...content.entries].filter(isWorthKeeping)) }
}
