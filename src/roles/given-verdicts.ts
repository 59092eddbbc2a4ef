import type { MediatorVerdict } from '../deal/deal.ts'
import type { Datastore } from '../store/datastore.ts'
import type { Hash } from '../wire/shapes.ts'

/**
 * The verdicts of this mediator, on disk before they are shown, for good: two outcomes for one manifest of a deal cost its bond (protocol/deal.md,
 * Known limits), and a second look may find another one, be it that a block has come, or that the provider signed two output roots.
 */
export interface GivenVerdicts {
  /** The verdict that was given, or what `judge` finds now. Rejects as `judge`; then nothing was given. */
  of: (dealId: Hash, manifest: Hash, judge: () => Promise<MediatorVerdict>) => Promise<MediatorVerdict>
  /** Resolves when nobody judges any more. */
  settled: () => Promise<void>
}

const PREFIX = 'mediator/verdict/'

export function createGivenVerdicts ({ datastore }: { datastore: Pick<Datastore, 'get' | 'put'> }): GivenVerdicts {
  const judging = new Map<string, Promise<MediatorVerdict>>()
  return {
    of: async (dealId, manifest, judge) => {
      const key = `${PREFIX}${dealId}/${manifest}`
      const running = judging.get(key)
      if (running !== undefined) return await running
      const verdict = (async () => {
        const bytes = await datastore.get(key)
        if (bytes !== undefined) return JSON.parse(new TextDecoder().decode(bytes)) as MediatorVerdict
        const found = await judge()
        await datastore.put(key, new TextEncoder().encode(JSON.stringify(found)), { sync: true })
        return found
      })()
      judging.set(key, verdict)
      try {
        return await verdict
      } finally {
        judging.delete(key)
      }
    },
    settled: async () => { await Promise.allSettled(judging.values()) }
  }
}
