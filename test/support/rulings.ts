import { openCall } from '../../src/chain/calls.ts'
import { challengeCall } from '../../src/chain/dispute-calls.ts'
import { createSystemClock } from '../../src/core/clock.ts'
import { silentLogger } from '../../src/core/logger.ts'
import type { Deal } from '../../src/deal/deal.ts'
import type { Signer } from '../../src/identity/signer.ts'
import { createCourt } from '../../src/roles/court.ts'
import { challengeDigest, mediatorRoot, verdictDigest } from '../../src/wire/deal-messages.ts'
import type { Address } from '../../src/wire/shapes.ts'
import { agree, deliver, until, type Party } from './batch-scene.ts'

/** A disputed deal whose ruling waits for an appeal, and what both sides and the pool had before it. */
export interface RuledDeal { ofCreator: Deal, ofProvider: Deal, before: number[] }

export interface Rulings {
  /** A direct deal (price 100, fee 5, reserve 30, collateral 300, costs 10 and 20) that its creator challenged, and on which the mediator has given its word. */
  ruled: (jobNumber: number, outcome: number) => Promise<RuledDeal>
  /** What creator, provider and pool have more than before. */
  moved: (deal: Pick<RuledDeal, 'before'>) => Promise<number[]>
}

/** Of each step of a dispute. */
export const WINDOW = 300

export function createRulings ({ creator, provider, mediator, feeTo }: { creator: Party, provider: Party, mediator: Signer, feeTo: Address }): Rulings {
  const list = { mediators: [mediator.address], weights: [10] }
  const signal = AbortSignal.timeout(60_000)
  const held = async (): Promise<number[]> => [...await Promise.all([creator, provider].map(async ({ chain, signer }) => {
    const { free, locked } = await chain.account(signer.address)
    return free + locked
  })), await creator.chain.pool()]
  return {
    ruled: async (jobNumber, outcome) => {
      const before = await held()
      const { signed, ofCreator, ofProvider } = await agree(creator, provider, {
        feeTo, jobNumber, mediators: list, core: { lane: jobNumber, reserve: 30 }, rest: { challengeSeconds: WINDOW, judgeSeconds: 6000, submitSeconds: 6000, appealSeconds: 200, startBy: await creator.chain.blockTime() + 6000 }
      })
      await creator.chain.send(openCall(creator.chain, signed.consent), { name: 'open', signal })
      await until(() => ofCreator.state === 'DealAgreed' && ofProvider.state === 'DealAgreed')
      await Promise.all([deliver(creator.deals, ofCreator, signed), deliver(provider.deals, ofProvider, signed)])
      const { manifest } = ofCreator.result as NonNullable<Deal['result']>
      await creator.chain.send(challengeCall(creator.chain, signed.creatorView, creator.signer.sign(challengeDigest(creator.chain.domain, { dealId: signed.dealId, manifest, kind: 1 }))), { name: 'challenge', signal })
      await until(() => ofCreator.dispute !== undefined && ofProvider.dispute !== undefined)
      const evidence = mediatorRoot(list)
      const court = createCourt({
        deals: provider.deals, chain: provider.chain, clock: createSystemClock(), logger: silentLogger,
        verdicts: { ask: async () => ({ mediator: mediator.address, outcome, evidence, signature: mediator.sign(verdictDigest(creator.chain.domain, { dealId: signed.dealId, manifest, outcome, evidence })) }) }
      }, { signal })
      await provider.deals.update(ofProvider, (deal) => { deal.otherSalt = signed.salts.creator })
      await court.pursue(ofProvider)
      await until(() => ofCreator.dispute?.ruling !== undefined && ofProvider.dispute?.ruling !== undefined)
      return { ofCreator, ofProvider, before }
    },
    moved: async ({ before }) => (await held()).map((now, index) => now - (before[index] ?? 0))
  }
}
