import type { Chain } from '../../src/chain/chain.ts'
import type { Datastore } from '../../src/store/datastore.ts'

/** Where a process is killed: after so many writes from now on, when one is on disk, or when the next one would go there. */
export interface KillPoint { writes: number, when: 'written' | 'about to write' }

/** The disk and chain of a process that can be killed: from then on nothing it does reaches either, and what is on disk is its successor's. */
export interface Mortal {
  readonly datastore: Datastore
  /** The chain's own part of the disk, whose writes are no kill points: test/chain/resume.test.ts has those. */
  readonly chainStore: Datastore
  readonly isDead: () => boolean
  arm: (point: KillPoint) => void
  /** A chain that a dead process sends nothing to, and hears nothing from. */
  wrap: (chain: Chain) => Chain
}

export function createMortal (disk: Datastore): Mortal {
  let point: KillPoint | undefined
  let writes = 0
  let isDead = false
  const assertAlive = (): void => { if (isDead) throw new Error('killed') }
  const write = async (work: () => Promise<void>): Promise<void> => {
    assertAlive()
    // Counted as they begin: two may be under way.
    const before = writes++
    if (point?.when === 'about to write' && before === point.writes) isDead = true
    assertAlive()
    await work()
    if (point?.when === 'written' && before + 1 === point.writes) isDead = true
    assertAlive()
  }
  const quietly = async (work: () => Promise<void>): Promise<void> => { assertAlive(); await work() }
  const over = (through: typeof write): Datastore => ({
    start: disk.start,
    stop: disk.stop,
    get: disk.get,
    entries: disk.entries,
    pages: disk.pages,
    get interface (): never { throw new Error('not part of it') },
    put: async (...args) => { await through(async () => { await disk.put(...args) }) },
    delete: async (...args) => { await through(async () => { await disk.delete(...args) }) },
    batch: async (...args) => { await through(async () => { await disk.batch(...args) }) }
  })
  return {
    datastore: over(write),
    chainStore: over(quietly),
    isDead: () => isDead,
    arm: (next) => { point = next; writes = 0; isDead = next.when === 'written' && next.writes === 0 },
    wrap: (chain) => ({
      ...chain,
      send: async (...args) => {
        assertAlive()
        const receipt = await chain.send(...args)
        assertAlive()
        return receipt
      }
    })
  }
}
