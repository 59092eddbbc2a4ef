import type { Clock } from '../../core/clock.ts'
import type { Datastore } from '../../store/datastore.ts'
import type { Address } from '../../wire/shapes.ts'
import { RoleError } from '../errors.ts'

/** A call that was let in: for whom, by whom, when. */
export interface Errand { readonly account: Address, readonly peer: string, readonly atMs: number }

/** protocol/carry.md, Limits: what a carrier sends within an hour, and what it looks at for nothing. What was sent is on disk, so that a restart gives nobody more. */
export interface CarryBudget {
  load: () => Promise<void>
  /** Counts a call as sent from now on. Throws RoleError CARRY_FULL. */
  take: (account: Address, peer: string) => Errand
  /** It was not sent after all. `isPeersFault`: looking at it was in vain, which counts against who asked, since nobody else can be blamed. */
  giveBack: (errand: Errand, options: { isPeersFault: boolean }) => void
  save: () => Promise<void>
}

const HOUR_MS = 3_600_000
const MOST_FOR_ACCOUNT = 12
const MOST_IN_ALL = 240
const MOST_FAILED_OF_PEER = 12
const MOST_FAILED_IN_ALL = 1200
const KEY = 'carry/sent'

export function createCarryBudget ({ clock, datastore }: { clock: Pick<Clock, 'now'>, datastore: Pick<Datastore, 'get' | 'put'> }): CarryBudget {
  let sent: Errand[] = []
  let failed: Errand[] = []

  const assertRoom = (some: readonly Errand[], isOwn: (errand: Errand) => boolean, [mostOwn, mostInAll]: readonly [number, number], what: { own: string, all: string, data: Record<string, unknown> }): void => {
    const own = some.filter(isOwn).length
    if (own < mostOwn && some.length < mostInAll) return
    throw new RoleError('CARRY_FULL', own < mostOwn ? what.all : what.own, { data: { ...what.data, own, all: some.length }, hint: 'Ask another solver, or wait.' })
  }
  return {
    load: async () => {
      const bytes = await datastore.get(KEY)
      if (bytes !== undefined) sent = JSON.parse(new TextDecoder().decode(bytes)) as Errand[]
    },
    take: (account, peer) => {
      const since = clock.now() - HOUR_MS
      sent = sent.filter(({ atMs }) => atMs > since)
      failed = failed.filter(({ atMs }) => atMs > since)
      assertRoom(failed, (errand) => errand.peer === peer, [MOST_FAILED_OF_PEER, MOST_FAILED_IN_ALL], { own: `${MOST_FAILED_OF_PEER} calls that ${peer} asked for failed within an hour`, all: 'this node has looked at as many calls in vain as it does in an hour', data: { peer } })
      assertRoom(sent, (errand) => errand.account === account, [MOST_FOR_ACCOUNT, MOST_IN_ALL], { own: `${MOST_FOR_ACCOUNT} calls of ${account} were carried within an hour`, all: 'this node has carried as much as it does in an hour', data: { account } })
      const errand = { account, peer, atMs: clock.now() }
      sent.push(errand)
      return errand
    },
    giveBack: (errand, { isPeersFault }) => {
      sent = sent.filter((other) => other !== errand)
      if (isPeersFault) failed.push(errand)
    },
    save: async () => { await datastore.put(KEY, new TextEncoder().encode(JSON.stringify(sent))) }
  }
}
