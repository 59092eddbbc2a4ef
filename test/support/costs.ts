import type { DealView } from '../../src/api/facade.ts'
import type { DealParameters } from '../../src/deal/options.ts'

/**
 * What deals that are over can have cost their creator, nLILY (protocol/deal.md, Money). Of a provider that is too slow with a result it gets a
 * claim fee; it pays one where it is too slow to say what it thinks of a result that stands on chain, which a deal's view does not tell.
 */
export function possibleCosts (deals: readonly DealView[], { auditFee, claimFee }: Pick<DealParameters, 'auditFee' | 'claimFee'>): number[] {
  const paid = deals.filter(({ state }) => state === 'ResultsAccepted')
  const least = paid.reduce((sum, { price, fee, verdict }) => sum + price + fee + (verdict === undefined ? 0 : auditFee), 0) - claimFee * deals.filter(({ state }) => state === 'TimedOut').length
  const onChain = paid.filter(({ transactions }) => transactions.some(({ name }) => name === 'submitted')).length
  return Array.from({ length: onChain + 1 }, (_, late) => least + late * claimFee)
}
