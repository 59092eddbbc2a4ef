import type { Logger } from '../core/logger.ts'
import type { ChainEvent } from './decode-events.ts'

/** What is derived from the events of all blocks up to one: unlike a listener it follows the chain back. */
export interface Projection {
  /** An event, each time its block is read. Its block counts as done when this has settled. */
  take: (event: ChainEvent) => Promise<void>
  /** What came of later blocks counts no more: those are read again. Told at the start too, since a crash may have left something of a block that was not done. */
  rewind: (block: number) => Promise<void>
}

/** All of one follower as one. It never rejects: what fails is logged. */
export interface Projections extends Projection {
  add: (projection: Projection) => () => void
}

export function createProjections ({ logger }: { logger: Logger }): Projections {
  const all = new Set<Projection>()
  const each = async (name: keyof Projection, tell: (projection: Projection) => Promise<void>): Promise<void> => {
    await Promise.all([...all].map(async (projection) => {
      await tell(projection).catch((error: unknown) => { logger.error('chain.projection-failed', { call: name, error }) })
    }))
  }
  return {
    add: (projection) => {
      all.add(projection)
      return () => { all.delete(projection) }
    },
    take: async (event) => { await each('take', async ({ take }) => { await take(event) }) },
    rewind: async (block) => { await each('rewind', async ({ rewind }) => { await rewind(block) }) }
  }
}
