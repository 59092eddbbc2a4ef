import t from 'tap'
import type { Deal } from '../../src/deal/deal.ts'
import { takeBack } from '../../src/deal/take-back.ts'
import { address, hash } from './deals.ts'

/** A deal whose dispute was drawn and ruled, as far as the journal knew. */
const ruled = (): Deal => ({
  state: 'ResultsChallenged', openedAt: 1, submittedAt: 2, challengedAt: 3, revealedAt: 4, result: { manifest: hash(1) },
  dispute: { manifest: hash(1), creatorSalt: hash(2), providerSalt: hash(3), mediators: [address(4)] }
} as unknown as Deal)
const after = (chainState: string): Deal => {
  const deal = ruled()
  takeBack(deal, chainState)
  return deal
}

t.test('a deal stands where the chain has it, and forgets what came later', (t) => {
  t.match(after('Drawn'), ruled())
  t.match(after('Challenged'), { state: 'ResultsChallenged', challengedAt: 3, revealedAt: undefined, dispute: { creatorSalt: hash(2), providerSalt: undefined, mediators: [] } })
  t.match(after('Submitted'), { state: 'ResultsSubmitted', submittedAt: 2, challengedAt: undefined, dispute: undefined })
  t.match(after('Open'), { state: 'ResultsSubmitted', openedAt: 1, submittedAt: undefined, dispute: undefined })
  t.match(after('None'), { state: 'DealNegotiating', openedAt: undefined })
  t.match(after('Settled'), ruled(), 'what is over stays')
  t.end()
})
