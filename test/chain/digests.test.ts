import fc from 'fast-check'
import t from 'tap'
import { keccak256, type Hex } from 'viem'
import { ABIS } from '../../src/chain/abis.ts'
import { coreOf, restOf } from '../../src/chain/deal-structs.ts'
import { domainOf } from '../../src/chain/deployment.ts'
import { saltHash } from '../../src/wire/deal-messages.ts'
import { dealIdOf, dealRestHash, dealTermsDigest, type DealTerms } from '../../src/wire/deal-terms.ts'
import { typedDigest } from '../../src/wire/typed-data.ts'
import { startTestChain, type TestChain } from '../support/chain.ts'

let chain: TestChain
t.before(async () => { chain = await startTestChain() })
t.teardown(async () => { await chain.stop() })

const hex = (bytes: number): fc.Arbitrary<Hex> => fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((array) => `0x${Buffer.from(array).toString('hex')}` as const)
const uint = (max = Number.MAX_SAFE_INTEGER): fc.Arbitrary<number> => fc.integer({ min: 0, max })
const u32 = uint(2 ** 32 - 1)
const terms: fc.Arbitrary<DealTerms> = fc.record({
  core: fc.record({
    creator: hex(20), provider: hex(20), feeTo: hex(20), price: uint(), fee: uint(), collateral: uint(), reserve: uint(),
    jobNumber: uint(), attempt: uint(7), lane: u32, openBy: uint()
  }),
  rest: fc.record({
    jobOfferId: hex(32), resourceOfferId: hex(32), solutionId: hex(32), verification: uint(4), auditBp: uint(10_000), mediatorRoot: hex(32),
    creatorSaltHash: hex(32), providerSaltHash: hex(32), startBy: uint(), submitSeconds: u32, judgeSeconds: u32, challengeSeconds: u32,
    claimFee: uint(), auditFee: uint(), parameters: hex(32), linesRoot: hex(32), certificateSet: hex(32), creatorKey: hex(32), providerKey: hex(32),
    watcher: hex(20), replicas: uint(16), quorum: uint(16), tolerancePpm: uint(1_000_000), tier: uint(1), verdicts: uint(16), hardwareClass: hex(32), appealSeconds: u32
  })
})

t.test('terms, rest and deal ids hash the same here and in the Market', async (t) => {
  const market = { address: chain.deployment.contracts.market, abi: ABIS.market } as const
  const domain = domainOf(chain.deployment)
  const { viem } = chain.clients
  await fc.assert(fc.asyncProperty(terms, async (deal) => {
    const { creator, jobNumber, attempt } = deal.core
    const [digest, rest, id] = await Promise.all([
      viem.readContract({ ...market, functionName: 'termsDigest', args: [coreOf(deal), restOf(deal)] }),
      viem.readContract({ ...market, functionName: 'restHash', args: [restOf(deal)] }),
      viem.readContract({ ...market, functionName: 'dealId', args: [creator, BigInt(jobNumber), attempt] })
    ])
    return digest === dealTermsDigest(domain, deal) && rest === dealRestHash(deal.rest) && id === dealIdOf(domain, creator, jobNumber, attempt)
  }), { numRuns: 100, seed: 7 })
  await fc.assert(fc.asyncProperty(hex(32), async (struct) => {
    return await viem.readContract({ ...market, functionName: 'digest', args: [struct] }) === typedDigest(domain, struct)
  }), { numRuns: 20, seed: 7 })
  t.equal(saltHash(`0x${'12'.repeat(32)}`), keccak256(`0x${'12'.repeat(32)}`))
})
t.end()
