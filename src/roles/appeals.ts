import type { Hex } from 'viem'
import type { Chain, TxReceipt } from '../chain/chain.ts'
import { appealCall, judgeCall } from '../chain/dispute-calls.ts'
import type { Deal } from '../deal/deal.ts'
import { DealError } from '../deal/errors.ts'
import type { Signer } from '../identity/signer.ts'
import { appealDigest, OUTCOMES } from '../wire/deal-messages.ts'
import type { Hash } from '../wire/shapes.ts'
import { takeEvents } from './court.ts'
import type { DealBook } from './deal-book.ts'
import { recordTransaction } from './transactions.ts'

/** An appeal that stands: nLILY at stake, the last second of the judge, and what the judge sends to the Court for each outcome (a vote proposes it). */
export interface Appeal { dealId: Hash, receipt: TxReceipt, stake: number, judgeBy: number, judgements: Record<keyof typeof OUTCOMES, Hex> }

/** Appeals of this node's deals (protocol/deal.md, Disputes on chain). Its owner decides; no node appeals by itself. */
export interface Appeals {
  /** `id`: a deal's, or its first 8 characters or more. DealError DEAL_UNKNOWN, DEAL_NO_JUDGE, DEAL_NO_RULING, DEAL_APPEALED, DEAL_APPEAL_LATE, DEAL_APPEAL_STAKE; CHAIN_REVERTED. */
  appeal: (id: string, options: { signal: AbortSignal }) => Promise<Appeal>
  /** Deals whose ruling may be appealed until `until`, as far as the chain's time is known. */
  waiting: () => Array<{ dealId: Hash, outcome: number, until: number }>
}

export function createAppeals (components: { books: readonly DealBook[], chain: Pick<Chain, 'domain' | 'deployment' | 'account' | 'blockTime' | 'send'>, signer: Signer }): Appeals {
  const { books, chain, signer } = components
  const { parameters: { appealJudge, minMediatorBond: stake } } = chain.deployment

  const find = (id: string): { book: DealBook, deal: Deal } => {
    const found = id.length < 8 ? [] : books.flatMap((book) => book.all().filter(({ dealId }) => dealId.startsWith(id)).map((deal) => ({ book, deal })))
    const [only, ...others] = found
    if (only === undefined || others.some(({ deal }) => deal.dealId !== only.deal.dealId)) throw new DealError('DEAL_UNKNOWN', `${found.length === 0 ? 'no deal' : 'more than one deal'} ${id} here`, { data: { deal: id }, hint: 'Name the deal that "lilynode job ID" shows, or its first 8 characters.' })
    return only
  }
  const rulingOf = async ({ dealId, state, dispute }: Deal): Promise<NonNullable<NonNullable<Deal['dispute']>['ruling']>> => {
    if (appealJudge === 'none') throw new DealError('DEAL_NO_JUDGE', 'verdicts are final on this network: its deployment names no judge of appeals', { data: { dealId, state } })
    const ruling = dispute?.ruling
    if (state !== 'ResultsChallenged' || ruling === undefined) throw new DealError('DEAL_NO_RULING', `no ruling on this deal waits for an appeal; it is in ${state}`, { data: { dealId, state }, hint: 'A ruling waits as long as appealSeconds of the network file says, and is paid then.' })
    if (ruling.appellant !== undefined) throw new DealError('DEAL_APPEALED', `${ruling.appellant} appealed against this ruling; its judge has until ${ruling.until}`, { data: { dealId, appellant: ruling.appellant, judgeBy: ruling.until } })
    const now = await chain.blockTime()
    if (now > ruling.until) throw new DealError('DEAL_APPEAL_LATE', `the ruling could be appealed until ${ruling.until}, and it is ${now}`, { data: { dealId, until: ruling.until, now } })
    const { free } = await chain.account(signer.address)
    if (free < stake) throw new DealError('DEAL_APPEAL_STAKE', `an appeal stakes ${stake} nLILY, and ${free} are free`, { data: { dealId, stake, free }, hint: 'Deposit what is missing with "lilynode deposit AMOUNT".' })
    return ruling
  }

  return {
    waiting: () => books.flatMap((book) => book.open().flatMap(({ dealId, state, dispute }) => {
      const ruling = dispute?.ruling
      return state !== 'ResultsChallenged' || ruling === undefined || ruling.appellant !== undefined ? [] : [{ dealId, outcome: ruling.outcome, until: ruling.until }]
    })),
    appeal: async (id, { signal }) => {
      const { book, deal } = find(id)
      await rulingOf(deal)
      const signature = signer.sign(appealDigest(chain.domain, { dealId: deal.dealId }))
      const receipt = await chain.send(appealCall(chain, deal, signer.address, signature), { name: 'appeal', signal })
      await book.update(deal, (changed) => {
        recordTransaction(receipt)(changed)
        takeEvents(changed, receipt)
      })
      const judgement = (outcome: number): Hex => judgeCall(chain, deal, outcome).data
      return {
        dealId: deal.dealId, receipt, stake, judgeBy: deal.dispute?.ruling?.until ?? 0,
        judgements: { correct: judgement(OUTCOMES.correct), wrong: judgement(OUTCOMES.wrong), inconclusive: judgement(OUTCOMES.inconclusive) }
      }
    }
  }
}
