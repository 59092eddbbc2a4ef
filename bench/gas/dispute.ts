import { openingOf } from '../../src/chain/batch/layout.ts'
import { proofOf } from '../../src/chain/batch/tree.ts'
import type { DealEvidence } from '../../src/chain/calls.ts'
import type { ContractCall, TxReceipt } from '../../src/chain/chain.ts'
import { disputeAfter } from '../../src/chain/dispute.ts'
import { challengeLeafCall, revealCall, ruleCall, verdictCall } from '../../src/chain/dispute-calls.ts'
import type { Signer } from '../../src/identity/signer.ts'
import { challengeDigest, drawMediator, drawSeed, resultCommitDigest, verdictDigest, type MediatorList } from '../../src/wire/deal-messages.ts'
import { dealIdOf, dealTermsDigest } from '../../src/wire/deal-terms.ts'
import type { TestChain } from '../../test/support/chain.ts'
import { commit, dealsOf, hash, settle } from './batch.ts'
import type { Parties } from './parties.ts'

const SIZE = 100

/** Gas of one disputed leaf by step, and how much of a step is its bytes (16 gas each, 4 if zero) and the transaction itself. */
export interface DisputeCost { readonly total: number, readonly steps: ReadonlyArray<{ readonly name: string, readonly gas: number, readonly sending: number }> }

/**
 * One leaf of a batch of 100, claimed and challenged, drawn and ruled wrong while the other 99 settle; gas of all that concerns it. Steady
 * state: not the first such dispute, so that the pool holds money and the parties' accounts are in use. `together`: the drawn mediator's
 * verdict comes in the transaction that reveals the provider's salt; `apart`: in one of its own.
 */
export async function disputeInBatch (test: TestChain, parties: Parties): Promise<{ together: DisputeCost, apart: DisputeCost }> {
  await dispute(test, parties, 0, true)
  return { together: await dispute(test, parties, 1, true), apart: await dispute(test, parties, 2, false) }
}

async function dispute (test: TestChain, parties: Parties, round: number, isTogether: boolean): Promise<DisputeCost> {
  const { solver, creators, providers } = parties
  const { domain } = solver
  const mediators: MediatorList = { mediators: parties.mediators.map(({ address }) => address).sort(), weights: [1, 1, 1] }
  const sent = await commit(test, parties, dealsOf(parties, SIZE, round, await solver.blockTime() + 100, mediators))
  const [terms] = sent.deals
  const creator = creators.find(({ address }) => address === terms?.core.creator)
  const provider = providers.find(({ address }) => address === terms?.core.provider)
  if (terms === undefined || creator === undefined || provider === undefined) throw new Error('the batch has no first leaf')
  const digest = dealTermsDigest(domain, terms)
  const dealId = dealIdOf(domain, creator.address, terms.core.jobNumber, terms.core.attempt)
  const result = { dealId, manifest: hash(7), outputRoot: hash(8) }
  const deal: DealEvidence & { creatorSignature: `0x${string}`, providerSignature: `0x${string}` } = {
    role: 'creator', terms, mediators, ownSalt: hash(6), otherSalt: hash(5), result: { ...result, signature: provider.sign(resultCommitDigest(domain, result)) },
    creatorSignature: creator.sign(digest), providerSignature: provider.sign(digest)
  }
  const steps: Array<{ name: string, gas: number, sending: number }> = [{ name: 'share of the commit', gas: sent.committed.gas / SIZE, sending: 0 }]
  const step = async (name: string, call: ContractCall): Promise<TxReceipt> => {
    const receipt = await solver.send(call, { name, signal: AbortSignal.timeout(60_000) })
    steps.push({ name, gas: receipt.gas, sending: sendingGas(call) })
    const next = receipt.events.reduce(disputeAfter, deal.dispute)
    if (next !== undefined) deal.dispute = next
    return receipt
  }
  await step('claim and challenge', challengeLeafCall(solver, openingOf(sent.batch, 0, proofOf(sent.layout.tree, 0)), deal, creator.sign(challengeDigest(domain, { dealId, manifest: hash(7), kind: 1 }))))
  const drawn = parties.mediators.find(({ address }) => address === drawMediator(drawSeed(hash(6), hash(5), dealId), mediators)) as Signer
  const verdict = { outcome: 2, evidence: hash(9), signature: drawn.sign(verdictDigest(domain, { dealId, manifest: hash(7), outcome: 2, evidence: hash(9) })) }
  if (isTogether) {
    await step('reveal, draw, verdict and payment', ruleCall(solver, deal, hash(5), [{ seat: 0, ...verdict }]))
  } else {
    await step('reveal and draw', revealCall(solver, deal, hash(5)))
    await step('verdict and payment', verdictCall(solver, deal, [{ mediator: drawn.address, ...verdict }]))
  }
  if (await solver.stateOf(terms) !== 'MediationRejected') throw new Error('the dispute did not end as ruled')
  await settle(parties, sent, (1n << BigInt(SIZE)) - 2n)
  return { total: steps.reduce((sum, { gas }) => sum + gas, 0), steps }
}

/** What a transaction costs before the first instruction: its base and its bytes. */
function sendingGas ({ data }: ContractCall): number {
  const bytes = Buffer.from(data.slice(2), 'hex')
  return bytes.reduce((gas, byte) => gas + (byte === 0 ? 4 : 16), 21_000)
}
