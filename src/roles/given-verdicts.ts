import type { Chain } from '../chain/chain.ts'
import type { MediatorVerdict } from '../deal/deal.ts'
import { lastWordBy } from '../deal/timeouts.ts'
import type { Datastore } from '../store/datastore.ts'
import type { DealTerms } from '../wire/deal-terms.ts'
import type { Hash } from '../wire/shapes.ts'
import { liveState } from './live-deal.ts'

/** What a verdict is about; the terms tell when nobody can use it any more. */
export interface VerdictSubject { dealId: Hash, manifest: Hash, terms: DealTerms }

/**
 * The verdicts of this mediator, on disk before they are shown: two outcomes for one manifest of a deal cost its bond (protocol/deal.md,
 * Known limits), and a second look may find another one, be it that a block has come, or that the provider signed two output roots.
 */
export interface GivenVerdicts {
  /** The verdict that was given, or what `judge` finds now. Rejects as `judge`, which must look at deals alone that are live on chain; then nothing was given. */
  of: (subject: VerdictSubject, judge: () => Promise<MediatorVerdict>) => Promise<MediatorVerdict>
  /**
   * Forgets those of deals that have an end on chain, after the last moment that their deadlines give to a dispute. By then no leaf of theirs
   * can be claimed, and no re-org brings them back, so nothing of theirs is judged again. Rejects where the chain is away.
   */
  sweep: () => Promise<void>
  /** Resolves when nobody judges any more. */
  settled: () => Promise<void>
}

const PREFIX = 'mediator/verdict/'
interface Stored { verdict: MediatorVerdict, terms: DealTerms }
const decode = (bytes: Uint8Array): Stored => JSON.parse(new TextDecoder().decode(bytes)) as Stored

export function createGivenVerdicts ({ datastore, chain }: { datastore: Pick<Datastore, 'get' | 'put' | 'delete' | 'entries'>, chain: Pick<Chain, 'domain' | 'deployment' | 'blockTime' | 'stateOf' | 'slot'> }): GivenVerdicts {
  const judging = new Map<string, Promise<MediatorVerdict>>()
  return {
    of: async ({ dealId, manifest, terms }, judge) => {
      const key = `${PREFIX}${dealId}/${manifest}`
      const running = judging.get(key)
      if (running !== undefined) return await running
      const verdict = (async () => {
        const bytes = await datastore.get(key)
        if (bytes !== undefined) return decode(bytes).verdict
        const found = await judge()
        const stored: Stored = { verdict: found, terms }
        await datastore.put(key, new TextEncoder().encode(JSON.stringify(stored)), { sync: true })
        return found
      })()
      judging.set(key, verdict)
      try {
        return await verdict
      } finally {
        judging.delete(key)
      }
    },
    sweep: async () => {
      const now = await chain.blockTime()
      for await (const [key, bytes] of datastore.entries(PREFIX)) {
        const { terms } = decode(bytes)
        if (now > lastWordBy(terms, chain.deployment.parameters.unbondSeconds) && await liveState(chain, terms) === undefined) await datastore.delete(key)
      }
    },
    settled: async () => { await Promise.allSettled(judging.values()) }
  }
}
