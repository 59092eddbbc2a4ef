import { hash } from 'node:crypto'
import type { Hex } from 'viem'
import {
  acceptanceDigest, appealDigest, challengeDigest, drawMediator, drawSeed, isAudited, mediatorRoot, nullifyDigest, openingPromiseDigest, resultCommitDigest, resultReceiptDigest, saltHash, startReceiptDigest, verdictDigest
} from '../../src/wire/deal-messages.ts'
import { dealIdOf, dealRestHash, dealTermsDigest, type DealTerms } from '../../src/wire/deal-terms.ts'
import { sessionDigest } from '../../src/wire/session.ts'
import type { Address, Hash } from '../../src/wire/shapes.ts'
import type { Domain } from '../../src/wire/typed-data.ts'

const DOMAIN: Domain = { chainId: 31_337, market: '0x5fbdb2315678afecb367f032d93f642f64180aa3' }
const NOW = 1_700_000_000
const word = (name: string): Hash => `0x${hash('sha256', `lilynode vector ${name}`, 'hex')}`
const account = (name: string): Address => word(name).slice(0, 42) as Hex as Address

/** protocol/vectors/deal.json: every message of protocol/deal.md, and the session of protocol/identity.md, with its digest. */
export function dealVectors (): Record<string, unknown> {
  const mediators = { mediators: [account('mediator 1'), account('mediator 2')], weights: [100, 300] }
  const salts = { creator: word('creator salt'), provider: word('provider salt') }
  const terms: DealTerms = {
    core: { creator: account('creator'), provider: account('provider'), feeTo: account('solver'), price: 2_064_240, fee: 100_000, collateral: 5_160_600, reserve: 60_000_000, jobNumber: 7, attempt: 1, lane: 3, openBy: NOW + 300 },
    rest: {
      jobOfferId: word('job'), resourceOfferId: word('offer'), solutionId: word('solution'), verification: 2, auditBp: 1000, mediatorRoot: mediatorRoot(mediators),
      creatorSaltHash: saltHash(salts.creator), providerSaltHash: saltHash(salts.provider), startBy: NOW + 900, submitSeconds: 900, judgeSeconds: 3600, challengeSeconds: 3600,
      claimFee: 10_000_000, auditFee: 50_000_000, parameters: word('parameters'), linesRoot: word('lines'), certificateSet: word('certificates'), creatorKey: word('creator key'), providerKey: word('provider key'),
      watcher: account('watcher'), replicas: 3, quorum: 2, tolerancePpm: 10, tier: 1, verdicts: 3, hardwareClass: word('hardware class'), appealSeconds: 7200
    }
  }
  const dealId = dealIdOf(DOMAIN, terms.core.creator, terms.core.jobNumber, terms.core.attempt)
  const seed = drawSeed(salts.creator, salts.provider, dealId)
  const manifest = word('manifest')
  const messages: Array<[string, object, Hash]> = []
  const add = <T extends object>(name: string, digest: (domain: Domain, value: T) => Hash, value: T): void => { messages.push([name, value, digest(DOMAIN, value)]) }
  add('StartReceipt', startReceiptDigest, { dealId, inputRoot: word('inputs'), sealedRoot: word('sealed inputs'), startedAt: NOW + 10 })
  add('ResultCommit', resultCommitDigest, { dealId, manifest, outputRoot: word('outputs') })
  add('ResultReceipt', resultReceiptDigest, { dealId, manifest })
  add('Acceptance', acceptanceDigest, { dealId, manifest })
  add('Challenge', challengeDigest, { dealId, manifest, kind: 1 })
  add('Verdict', verdictDigest, { dealId, manifest, outcome: 2, evidence: word('evidence') })
  add('Nullify', nullifyDigest, { jobNumber: 7 })
  add('Appeal', appealDigest, { dealId })
  add('OpeningPromise', openingPromiseDigest, { dealId, terms: dealTermsDigest(DOMAIN, terms), solver: terms.core.feeTo, openBy: terms.core.openBy })
  add('Session', sessionDigest, { account: account('creator'), operator: account('operator'), cap: 1_000_000_000, windowSeconds: 86_400, solversRoot: word('solvers'), notBefore: NOW, expiry: NOW + 2_592_000, nonce: 1 })
  return {
    'deal.json': {
      about: 'protocol/deal.md, protocol/identity.md. Names are words of sha-256 of "lilynode vector NAME", accounts their first 20 bytes.',
      domain: DOMAIN, terms, dealId, restHash: dealRestHash(terms.rest), digest: dealTermsDigest(DOMAIN, terms),
      messages: messages.map(([name, message, digest]) => ({ name, message, digest })),
      draw: { mediators, salts, seed, mediator: drawMediator(seed, mediators), audited: [0, 1000, 5000, 10_000].map((auditBp) => ({ auditBp, audited: isAudited(seed, auditBp) })) }
    }
  }
}
