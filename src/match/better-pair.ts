import type { Address } from '../wire/shapes.ts'

/** A pair of a published solution, as far as it matters whose solution it is. */
interface NamedPair { readonly solver: Address, readonly offer: { readonly account: Address } }

/**
 * The pair by which a provider takes a job in the place of `pair`: the first of the job's pairs, best solution first, that names the same provider and is
 * not passed over. Undefined: there is no better one. protocol/auction.md, Adoption.
 */
export function betterPairOf<P extends NamedPair> (pairs: readonly P[], pair: P, isPassedOver: (better: P) => boolean = () => false): P | undefined {
  const best = pairs.find((other) => other.offer.account === pair.offer.account && (other.solver === pair.solver || !isPassedOver(other)))
  return best?.solver === pair.solver ? undefined : best
}
