import { z } from 'zod'
import { hashShape } from '../../wire/shapes.ts'
import type { Budget } from '../engine.ts'
import type { Match, Snapshot } from '../problem.ts'

/** protocol/engine.md. Lines of JSON between a solver and an engine of somebody else's. */

export const ENGINE_PROTOCOL = 1
/** Matches of a line: what `verifySolution` looks at, at 150 bytes and a little for devices. */
export const MAX_LINE_BYTES = 16_777_216
/** Of all lines of one run: a process that writes without end is ended. */
export const MAX_OUTPUT_BYTES = 67_108_864

const matchShape = z.tuple([hashShape, hashShape, z.array(z.int().min(0).max(63)).max(64)])
const answerShape = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready'), protocol: z.int(), name: z.string().regex(/^[a-z0-9-]{1,32}$/) }),
  z.object({ type: z.literal('improved'), matches: z.array(matchShape).max(50_000) }),
  z.object({ type: z.literal('done') })
])
export type EngineAnswer = z.output<typeof answerShape>

/** Parses a line of an engine; undefined when it is none. */
export function parseAnswer (line: string): EngineAnswer | undefined {
  try {
    const result = answerShape.safeParse(JSON.parse(line))
    return result.success ? result.data : undefined
  } catch {
    // No JSON.
    return undefined
  }
}

export function toMatches (rows: Extract<EngineAnswer, { type: 'improved' }>['matches']): Match[] {
  return rows.map(([job, offer, devices]) => ({ job, offer, devices }))
}

/** The line that asks for a solution. Offers of jobs and resources stand as in their records; all amounts are whole numbers below 2^53. */
export function solveLine (snapshot: Snapshot, { seed, warm }: Pick<Budget, 'seed' | 'warm'>, budgetMs: number): string {
  const { epoch, atMs, rules, jobs, offers } = snapshot
  const before = warm?.matches.map(({ job, offer, devices }) => [job, offer, devices]) ?? []
  return `${JSON.stringify({ type: 'solve', protocol: ENGINE_PROTOCOL, epoch, atMs, budgetMs, seed, rules, jobs, offers, warm: before })}\n`
}
