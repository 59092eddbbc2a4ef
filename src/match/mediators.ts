import { concat, keccak256 } from 'viem'
import type { Address, Hash } from '../wire/shapes.ts'
import type { MatchRules } from './options.ts'

/** Whom an offer trusts: by name, and by sets that its network defines. */
export interface Trust { readonly mediators: readonly Address[], readonly mediatorSets: readonly Hash[] }

const known = new WeakMap<MatchRules, ReadonlyMap<Hash, readonly Address[]>>()

/** keccak256 of the addresses, ascending, joined. */
export function mediatorSetHash (members: readonly Address[]): Hash {
  return keccak256(concat([...members].sort()))
}

/** All mediators that the offer trusts; a set that the rules do not define adds nobody. */
export function trustedBy ({ mediators, mediatorSets }: Trust, rules: MatchRules): readonly Address[] {
  if (mediatorSets.length === 0 || rules.mediatorSets.length === 0) return mediators
  const sets = setsOf(rules)
  return [...new Set([...mediators, ...mediatorSets.flatMap((hash) => sets.get(hash) ?? [])])]
}

/** The sets that the offer trusts and the rules define, with their places in the network's list, from 1. */
export function knownSets ({ mediatorSets }: Trust, rules: MatchRules): Array<{ number: number, hash: Hash }> {
  return [...setsOf(rules).keys()].flatMap((hash, at) => mediatorSets.includes(hash) ? [{ number: at + 1, hash }] : [])
}

/** Whether both trust a mediator that is neither of them. */
export function shareMediator (left: Trust, right: Trust, parties: readonly Address[], rules: MatchRules): boolean {
  // A set that both name saves the comparison of long lists.
  if (left.mediatorSets.some((hash) => right.mediatorSets.includes(hash) && setsOf(rules).get(hash)?.some((address) => !parties.includes(address)) === true)) return true
  const others = trustedBy(right, rules)
  return trustedBy(left, rules).some((address) => others.includes(address) && !parties.includes(address))
}

function setsOf (rules: MatchRules): ReadonlyMap<Hash, readonly Address[]> {
  let sets = known.get(rules)
  if (sets === undefined) {
    sets = new Map(rules.mediatorSets.map((members) => [mediatorSetHash(members), members]))
    known.set(rules, sets)
  }
  return sets
}
