import { createSeededRandom } from '../../src/core/random.ts'

/** What is done to the fleet, and when. `side` is one half of a partition. */
export type Step = { readonly atMs: number } & (
  { do: 'put' | 'cancel', node: number, slot: number } |
  { do: 'kill' | 'start', node: number } |
  { do: 'part', side: readonly number[] } |
  { do: 'heal' }
)

export interface ChaosPlan { seed: number, nodes: number, seconds: number, partition: number }

/** Ten statements a second of the whole fleet: what ten busy creators make. */
const STATEMENT_EVERY_MS = 100
/** One in so many takes a job back. */
const CANCEL_SHARE = 5
/** Few enough that slots are written over and cancelled often. */
const SLOTS = 40
/** A kill in each stretch of this length; a fleet of twenty loses a node every four seconds. */
const KILL_EVERY_MS = 4_000
const DOWN_MIN_MS = 1_000
const DOWN_SPREAD_MS = 5_000

/** The schedule is a function of the plan alone. The partition begins in the middle of the time without one; load and kills go on through it. */
export function planChaos ({ seed, nodes, seconds, partition }: ChaosPlan): Step[] {
  const random = createSeededRandom(seed)
  const steps: Step[] = []
  const endMs = (seconds + partition) * 1000
  for (let atMs = 0; atMs < endMs; atMs += STATEMENT_EVERY_MS) {
    steps.push({ atMs, do: random.below(CANCEL_SHARE) === 0 ? 'cancel' : 'put', node: random.below(nodes), slot: random.below(SLOTS) })
  }
  const backAtMs = Array.from({ length: nodes }, () => 0)
  for (let fromMs = KILL_EVERY_MS; fromMs < endMs; fromMs += KILL_EVERY_MS) {
    const atMs = fromMs + random.below(KILL_EVERY_MS)
    const up = backAtMs.flatMap((back, node) => back <= atMs ? [node] : [])
    // Half of the fleet stays up.
    if (up.length <= nodes / 2) continue
    const node = up[random.below(up.length)] as number
    const downMs = DOWN_MIN_MS + random.below(DOWN_SPREAD_MS)
    backAtMs[node] = atMs + downMs
    steps.push({ atMs, do: 'kill', node }, { atMs: atMs + downMs, do: 'start', node })
  }
  if (partition > 0) {
    const order = Array.from({ length: nodes }, (_, node) => node)
    const side = Array.from({ length: Math.floor(nodes / 2) }, () => order.splice(random.below(order.length), 1)[0] as number)
    steps.push({ atMs: seconds * 500, do: 'part', side: side.sort((a, b) => a - b) }, { atMs: seconds * 500 + partition * 1000, do: 'heal' })
  }
  return steps.sort((a, b) => a.atMs - b.atMs)
}
