import { CodedError } from '../src/core/errors.ts'
import { createSeededRandom } from '../src/core/random.ts'
import { MAX_RECONCILE_BYTES, MAX_ROUND_BYTES, MAX_UNREAD_BYTES } from '../src/wire/reconcile.ts'
import { atMost, reported, type Bench, type Figure } from './figure.ts'
import { FRAME_COST_BYTES } from '../src/mesh/frames.ts'
import { heldBy, heldBytes, REFUSED, STALLED, type Served } from './fuzz-held.ts'
import { createMutator } from './fuzz-inputs.ts'
import { createTargets, type Target } from './fuzz-targets.ts'

const INPUTS = 1_000_000
/** Share of the inputs after which code is compiled and caches are full: from here on nothing may stay. */
const SETTLED_SHARE = 0.5
const HELD_LIMIT_BYTES = 64 * 1024
/** The answering sides of reconciliation (protocol/reconcile.md). */
const SERVED: ReadonlyArray<{ what: string, served: Served }> = [
  { what: 'rounds', served: { maxFrameBytes: MAX_ROUND_BYTES, maxBytes: MAX_ROUND_BYTES + FRAME_COST_BYTES, maxFrames: 1 } },
  { what: 'pages', served: { maxFrameBytes: MAX_RECONCILE_BYTES, maxBytes: MAX_UNREAD_BYTES, maxFrames: Infinity } }
]
const REPORT_EVERY = 100_000

interface Count { inputs: number, outcomes: Map<string, number>, slowestMs: number }

/** Hostile bytes against every decoder that a stranger reaches, and what a hostile stream makes us hold. */
export const benchFuzz: Bench = async ({ seed, sizes, progress }) => {
  const inputs = sizes.inputs ?? INPUTS
  const random = createSeededRandom(seed)
  const mutate = createMutator(random)
  const targets = createTargets()
  for (const target of targets) for (const bytes of target.corpus) outcomeOf(target, bytes)
  const counts = new Map(targets.map(({ name }) => [name, { inputs: 0, outcomes: new Map<string, number>(), slowestMs: 0 }]))
  const startMs = performance.now()
  let settled = 0
  for (let input = 0; input < inputs; input++) {
    if (input === Math.floor(inputs * SETTLED_SHARE)) settled = await heldBytes()
    if (input > 0 && input % REPORT_EVERY === 0) progress(`${input} inputs, ${Math.round(input / (performance.now() - startMs) * 1000)}/s`)
    const target = targets[random.below(targets.length)] as Target
    judge(target, mutate(target.corpus), counts.get(target.name) as Count)
  }
  const elapsedMs = performance.now() - startMs
  const grown = await heldBytes() - settled
  for (const [name, count] of counts) progress(`${name}: ${count.inputs} inputs: ${[...count.outcomes].sort(([, a], [, b]) => b - a).map(([code, times]) => `${code} ${times}`).join(', ')}`)

  const kibibytes = (bytes: number): number => Math.max(0, bytes) / 1024
  const figures: Figure[] = [
    // An error that escapes ends the run before this.
    atMost(`errors that escaped from ${inputs} inputs`, 0, 0, ''),
    reported('inputs per second', inputs / elapsedMs * 1000, '/s'),
    reported('slowest input', Math.max(...[...counts.values()].map(({ slowestMs }) => slowestMs)), 'ms'),
    atMost('held after the second half of one peer\'s inputs', kibibytes(grown), HELD_LIMIT_BYTES / 1024, 'KiB')
  ]
  for (const { what, served } of SERVED) {
    for (const hostile of [...REFUSED, ...STALLED]) figures.push(atMost(`held for ${hostile.name}, ${what}`, kibibytes(await heldBy(hostile, served)), HELD_LIMIT_BYTES / 1024, 'KiB'))
  }
  return figures
}

function judge ({ name, run }: Target, bytes: Uint8Array, count: Count): void {
  const startMs = performance.now()
  const outcome = outcomeOf({ name, run }, bytes)
  count.slowestMs = Math.max(count.slowestMs, performance.now() - startMs)
  count.inputs++
  count.outcomes.set(outcome, (count.outcomes.get(outcome) ?? 0) + 1)
}

/** How the bytes were judged: the code they were refused with, or that they were valid. Any other error ends the run and names its input. */
function outcomeOf ({ name, run }: Pick<Target, 'name' | 'run'>, bytes: Uint8Array): string {
  try {
    return run(bytes) ?? 'valid'
  } catch (error) {
    if (error instanceof CodedError) return error.code
    throw new Error(`${name}: an error without a code from ${Buffer.from(bytes).toString('hex')}`, { cause: error })
  }
}
