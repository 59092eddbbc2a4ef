import { setTimeout as delay } from 'node:timers/promises'
import type { Fleet, Statement } from './fleet.ts'

export interface Verdict { ok: boolean, lines: string[] }

/** Nodes reconcile once a minute and records may have several nodes to cross. */
const CONVERGENCE_LIMIT_MS = 300_000
const LOOK_EVERY_MS = 1_000
/** A peer this low is no longer gossiped with (protocol/topics.md); no node here deserves it. */
const GOSSIP_THRESHOLD = -500

/**
 * After everything: waits until all books are equal by the nodes' own doing; then has every pair state so in a session of
 * its own; then looks for each acknowledged statement in each book.
 */
export async function judge (fleet: Fleet, newest: ReadonlyMap<string, Statement>): Promise<Verdict> {
  const numbers = Array.from({ length: fleet.size }, (_, number) => number)
  const lines: string[] = []
  let ok = true
  const note = (holds: boolean, text: string): void => {
    ok &&= holds
    lines.push(`${holds ? 'ok    ' : 'FAILED'} ${text}`)
  }
  const { tookMs, digests } = await untilEqual(fleet, numbers)
  const kinds = new Set(digests.map(({ digest }) => digest))
  note(kinds.size === 1, kinds.size === 1
    ? `books became equal by themselves ${(tookMs / 1000).toFixed(1)} s after the end: ${digests[0]?.records ?? 0} records, sha-256 ${digests[0]?.digest.slice(0, 16) ?? ''}`
    : `${kinds.size} different books after ${CONVERGENCE_LIMIT_MS / 1000} s: ${digests.map(({ records }) => records).join(' ')} records`)

  const pairs = numbers.flatMap((a) => numbers.slice(a + 1).map((b) => [a, b] as const))
  const unequal: string[] = []
  for (const [a, b] of pairs) {
    // A session of theirs that began before the books were equal is joined, and speaks of that time: then one more.
    const said = await difference(fleet, a, b) && await difference(fleet, a, b)
    if (said !== undefined) unequal.push(`${a}-${b} (${said})`)
  }
  note(unequal.length === 0, `${pairs.length - unequal.length} of ${pairs.length} pairs stated in a reconciliation session that their books are equal${unequal.length > 0 ? `; not ${unequal.slice(0, 10).join(' ')}` : ''}`)

  const lost: string[] = []
  let proofs = 0
  let lowest = 0
  for (const number of numbers) {
    const answer = await fleet.tell(number, 'heads')
    proofs += Number(answer?.['proofs'])
    const heads = new Map((answer?.['heads'] as Statement[]).map((head) => [`${head.account} ${head.slot}`, head]))
    for (const [register, { id, seq }] of newest) {
      const head = heads.get(register)
      // A newer one in its place is one whose author was killed before it could acknowledge.
      if (head === undefined || (head.id !== id && head.seq <= seq)) lost.push(`${id} at node ${number}`)
    }
    const peers = (await fleet.tell(number, 'peers'))?.['peers'] as Array<{ score: number }>
    lowest = Math.min(lowest, ...peers.map(({ score }) => score))
  }
  note(lost.length === 0, `${newest.size} registers with an acknowledged record looked up in ${fleet.size} books: ${lost.length} lost${lost.length > 0 ? `, such as ${lost[0] ?? ''}` : ''}`)
  note(proofs === 0, `${proofs} authors frozen: a kill made nobody say two things at once`)
  note(lowest > GOSSIP_THRESHOLD, `lowest score that a node gave another: ${Math.round(lowest)}`)
  return { ok, lines }
}

/** What two nodes' session says against the equality of their books. */
async function difference (fleet: Fleet, a: number, b: number): Promise<string | undefined> {
  const { equal, missing, extra, received, sent }: Record<string, unknown> = await fleet.tell(a, `compare ${fleet.node(b)?.address ?? ''}`) ?? {}
  return equal === true && Number(received) + Number(sent) === 0 ? undefined : JSON.stringify({ equal, missing, extra, received, sent })
}

async function untilEqual (fleet: Fleet, numbers: readonly number[]): Promise<{ tookMs: number, digests: Array<{ records: number, digest: string }> }> {
  const started = performance.now()
  for (;;) {
    const digests = await Promise.all(numbers.map(async (number) => {
      const answer = await fleet.tell(number, 'digest')
      return { records: Number(answer?.['records']), digest: String(answer?.['digest']) }
    }))
    const tookMs = performance.now() - started
    if (new Set(digests.map(({ digest }) => digest)).size === 1 || tookMs > CONVERGENCE_LIMIT_MS) return { tookMs, digests }
    await delay(LOOK_EVERY_MS)
  }
}
