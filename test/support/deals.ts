import { keccak256, stringToBytes, zeroHash } from 'viem'
import type { DealEvidence } from '../../src/chain/calls.ts'
import type { Signer } from '../../src/identity/signer.ts'
import { mediatorRoot, resultCommitDigest, saltHash, startReceiptDigest, type MediatorList } from '../../src/wire/deal-messages.ts'
import { dealIdOf, dealTermsDigest, PLAIN_REST, type Consent, type DealTerms } from '../../src/wire/deal-terms.ts'
import type { Address, Hash } from '../../src/wire/shapes.ts'
import type { Domain } from '../../src/wire/typed-data.ts'

/** A deal both sides signed, with everything that its transactions may need. */
export interface SignedDeal { dealId: Hash, terms: DealTerms, consent: Consent, creatorView: DealEvidence, providerView: DealEvidence, salts: { creator: Hash, provider: Hash } }
export interface DealSetup { domain: Domain, creator: Signer, provider: Signer, now: number, jobNumber: number, feeTo: Address, mediators?: MediatorList, core?: Partial<DealTerms['core']>, rest?: Partial<DealTerms['rest']> }

const named = (name: string): Hash => keccak256(stringToBytes(name))

/** Price 100, fee 5, collateral 300, reserve 30; windows of 20 s (submit) and 10 s (judge, challenge). */
export function signDeal (setup: DealSetup): SignedDeal {
  const { domain, creator, provider, now, jobNumber } = setup
  const mediators = setup.mediators ?? { mediators: [], weights: [] }
  const salts = { creator: named(`creator salt ${jobNumber}`), provider: named(`provider salt ${jobNumber}`) }
  const terms: DealTerms = {
    core: { creator: creator.address, provider: provider.address, feeTo: setup.feeTo, price: 100, fee: 5, collateral: 300, reserve: 30, jobNumber, attempt: 0, lane: jobNumber, openBy: now + 60, ...setup.core },
    rest: {
      jobOfferId: named('job'), resourceOfferId: named('offer'), solutionId: named('solution'), verification: 2, auditBp: 1000,
      mediatorRoot: mediators.mediators.length === 0 ? zeroHash : mediatorRoot(mediators), creatorSaltHash: saltHash(salts.creator), providerSaltHash: saltHash(salts.provider),
      startBy: now + 70, submitSeconds: 20, judgeSeconds: 10, challengeSeconds: 10, claimFee: 10, auditFee: 20, parameters: named('parameters'), ...PLAIN_REST, ...setup.rest
    }
  }
  const digest = dealTermsDigest(domain, terms)
  const dealId = dealIdOf(domain, creator.address, jobNumber, terms.core.attempt)
  const receipt = { dealId, inputRoot: named('inputs'), sealedRoot: zeroHash, startedAt: now }
  const result = { manifest: named(`manifest ${jobNumber}`), outputRoot: named('outputs') }
  const shared = {
    terms,
    mediators,
    start: { inputRoot: receipt.inputRoot, sealedRoot: receipt.sealedRoot, startedAt: now, creatorSignature: creator.sign(startReceiptDigest(domain, receipt)), providerSignature: provider.sign(startReceiptDigest(domain, receipt)) },
    result: { ...result, signature: provider.sign(resultCommitDigest(domain, { dealId, ...result })) }
  }
  return {
    dealId,
    terms,
    salts,
    consent: { terms, creatorSignature: creator.sign(digest), providerSignature: provider.sign(digest) },
    creatorView: { ...shared, role: 'creator', ownSalt: salts.creator, otherSalt: salts.provider },
    providerView: { ...shared, role: 'provider', ownSalt: salts.provider, otherSalt: salts.creator }
  }
}
