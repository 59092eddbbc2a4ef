import type { Chain } from '../../chain/chain.ts'
import type { Clock } from '../../core/clock.ts'
import type { Hash } from '../../wire/shapes.ts'

const RETRY_MS = 1000
/** An endpoint may know an event before its transaction. */
const MAX_LOOKS = 60

/** The data of a transaction whose event was seen, waited for; undefined where no endpoint knows it after a minute. Rejects as Chain.transactionData, or with the signal's reason. */
export function createCommitData ({ chain, clock }: { chain: Pick<Chain, 'transactionData'>, clock: Clock }, { signal }: { signal: AbortSignal }): (hash: Hash) => Promise<Hash | undefined> {
  return async (hash) => {
    for (let look = 0; look < MAX_LOOKS; look++) {
      const data = await chain.transactionData(hash)
      if (data !== undefined) return data
      await clock.wait(RETRY_MS, signal)
    }
    return undefined
  }
}
