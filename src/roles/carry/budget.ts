import type { Clock } from '../../core/clock.ts'
import type { Datastore } from '../../store/datastore.ts'
import type { Address } from '../../wire/shapes.ts'
import { RoleError } from '../errors.ts'

/** A call that was let in: for whom, by whom, when. */
export interface Errand { readonly account: Address, readonly peer: string, readonly atMs: number }

/** protocol/carry.md, Limits: what a carrier sends within an hour, and what it looks at for nothing. What was sent is on disk, so that a restart gives nobody more, and who is known. */
export interface CarryBudget {
  load: () => Promise<void>
  /** Counts a call as sent from now on. Throws RoleError CARRY_FULL. */
  take: (account: Address, peer: string) => Errand
  /** It was not sent after all. `isPeersFault`: looking at it was in vain, which counts against who asked, since nobody else can be blamed. */
  giveBack: (errand: Errand, options: { isPeersFault: boolean }) => void
  /** It stands in a block: its peer is none of the strangers any more, whose calls in vain keep out each other. */
  succeeded: (errand: Errand) => void
  save: () => Promise<void>
}

const HOUR_MS = 3_600_000
const MOST_FOR_ACCOUNT = 12
const MOST_IN_ALL = 240
const MOST_FAILED_OF_PEER = 12
const MOST_FAILED_OF_STRANGERS = 1200
const MOST_KNOWN = 1000
const KEY = 'carry/sent'

export function createCarryBudget ({ clock, datastore }: { clock: Pick<Clock, 'now'>, datastore: Pick<Datastore, 'get' | 'put'> }): CarryBudget {
  let sent: Errand[] = []
  let failed: Errand[] = []
  /** Peers that had a call carried, the latest last. */
  const known = new Set<string>()

  const assertRoom = (count: number, most: number, message: string, data: Record<string, unknown>): void => {
    if (count >= most) throw new RoleError('CARRY_FULL', message, { data: { ...data, count, most }, hint: 'Ask another solver, or wait.' })
  }
  return {
    load: async () => {
      const bytes = await datastore.get(KEY)
      if (bytes === undefined) return
      const held = JSON.parse(new TextDecoder().decode(bytes)) as { sent: Errand[], known: string[] }
      sent = held.sent
      for (const peer of held.known) known.add(peer)
    },
    take: (account, peer) => {
      const since = clock.now() - HOUR_MS
      sent = sent.filter(({ atMs }) => atMs > since)
      failed = failed.filter(({ atMs }) => atMs > since)
      assertRoom(failed.filter((errand) => errand.peer === peer).length, MOST_FAILED_OF_PEER, `${MOST_FAILED_OF_PEER} calls that ${peer} asked for failed within an hour`, { peer })
      // To have a call carried takes money: strangers cannot keep out who had one.
      if (!known.has(peer)) assertRoom(failed.filter((errand) => !known.has(errand.peer)).length, MOST_FAILED_OF_STRANGERS, 'this node has looked at as many calls of strangers in vain as it does in an hour', { peer })
      assertRoom(sent.filter((errand) => errand.account === account).length, MOST_FOR_ACCOUNT, `${MOST_FOR_ACCOUNT} calls of ${account} were carried within an hour`, { account })
      assertRoom(sent.length, MOST_IN_ALL, 'this node has carried as much as it does in an hour', { account })
      const errand = { account, peer, atMs: clock.now() }
      sent.push(errand)
      return errand
    },
    giveBack: (errand, { isPeersFault }) => {
      sent = sent.filter((other) => other !== errand)
      if (isPeersFault) failed.push(errand)
    },
    succeeded: ({ peer }) => {
      known.delete(peer)
      known.add(peer)
      for (const oldest of known) {
        if (known.size <= MOST_KNOWN) break
        known.delete(oldest)
      }
    },
    save: async () => { await datastore.put(KEY, new TextEncoder().encode(JSON.stringify({ sent, known: [...known] }))) }
  }
}
