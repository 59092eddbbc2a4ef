import { claimCall } from '../../src/chain/batch/calls.ts'
import { challengeCall, revealCall, verdictCall, type DealEvidence } from '../../src/chain/calls.ts'
import type { Signer } from '../../src/identity/signer.ts'
import { challengeDigest, drawMediator, drawSeed, resultCommitDigest, verdictDigest, type MediatorList } from '../../src/wire/deal-messages.ts'
import { dealIdOf, dealTermsDigest } from '../../src/wire/deal-terms.ts'
import type { TestChain } from '../../test/support/chain.ts'
import { commit, dealsOf, hash, settle } from './batch.ts'
import type { Parties } from './parties.ts'

const SIZE = 100
const signal = (): AbortSignal => AbortSignal.timeout(60_000)

/** One leaf of a batch of 100, claimed, challenged, drawn and ruled wrong while the other 99 settle; gas of all that concerns it. */
export async function disputeInBatch (test: TestChain, parties: Parties, progress: (text: string) => void): Promise<number> {
  const { solver, creators, providers } = parties
  const { domain } = solver
  const mediators: MediatorList = { mediators: parties.mediators.map(({ address }) => address).sort(), weights: [1, 1, 1] }
  const deals = async (round: number): Promise<ReturnType<typeof dealsOf>> => dealsOf(parties, SIZE, round, await solver.blockTime() + 100, mediators)
  await settle(parties, await commit(test, parties, await deals(0)), (1n << BigInt(SIZE)) - 1n)
  const sent = await commit(test, parties, await deals(1))
  const [terms] = sent.deals
  const creator = creators.find(({ address }) => address === terms?.core.creator)
  const provider = providers.find(({ address }) => address === terms?.core.provider)
  if (terms === undefined || creator === undefined || provider === undefined) throw new Error('the batch has no first leaf')
  const digest = dealTermsDigest(domain, terms)
  const claimed = await solver.send(claimCall(sent.batch, sent.layout.tree, 0, terms, creator.sign(digest), provider.sign(digest)), { name: 'claim', signal: signal() })
  const dealId = dealIdOf(domain, creator.address, terms.core.jobNumber, terms.core.attempt)
  const result = { dealId, manifest: hash(7), outputRoot: hash(8) }
  const evidence: DealEvidence = { role: 'creator', terms, mediators, ownSalt: hash(6), otherSalt: hash(5), result: { ...result, signature: provider.sign(resultCommitDigest(domain, result)) } }
  const challenged = await solver.send(challengeCall(solver, evidence, creator.sign(challengeDigest(domain, { dealId, manifest: hash(7), kind: 1 }))), { name: 'challenge', signal: signal() })
  const revealed = await solver.send(revealCall(solver, evidence, hash(5)), { name: 'reveal', signal: signal() })
  const drawn = parties.mediators.find(({ address }) => address === drawMediator(drawSeed(hash(6), hash(5), dealId), mediators)) as Signer
  const verdict = { dealId, manifest: hash(7), outcome: 2, evidence: hash(9) }
  const ruled = await solver.send(verdictCall(solver, evidence, { outcome: 2, evidence: hash(9), signature: drawn.sign(verdictDigest(domain, verdict)) }), { name: 'verdict', signal: signal() })
  if (await solver.stateOf(terms) !== 'MediationRejected') throw new Error('the dispute did not end as ruled')
  await settle(parties, sent, (1n << BigInt(SIZE)) - 2n)
  const parts = { 'share of commit': sent.committed.gas / SIZE, claim: claimed.gas, challenge: challenged.gas, reveal: revealed.gas, verdict: ruled.gas }
  progress(`disputed leaf: ${Object.entries(parts).map(([name, gas]) => `${name} ${Math.round(gas)}`).join(', ')}`)
  return Object.values(parts).reduce((sum, gas) => sum + gas, 0)
}
