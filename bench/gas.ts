import { openCall, settleCall } from '../src/chain/calls.ts'
import { transferCall } from '../src/chain/account-calls.ts'
import { buildTerms } from '../src/deal/terms.ts'
import { DEVNET_DEAL_PARAMETERS } from '../src/deal/options.ts'
import { acceptanceDigest, saltHash } from '../src/wire/deal-messages.ts'
import { dealIdOf, dealTermsDigest } from '../src/wire/deal-terms.ts'
import type { Hash } from '../src/wire/shapes.ts'
import { namedSigner, startTestChain } from '../test/support/chain.ts'
import { jobBody } from '../test/support/records.ts'
import { atMost, reported, type Bench } from './figure.ts'
import { benchBatches } from './gas/figures.ts'
import { LILYPAD } from './gas/others.ts'

const JOBS = 40
const LIMIT = 120_000
const hash = (byte: number): Hash => `0x${byte.toString(16).padStart(2, '0').repeat(32)}`

/** Gas of both paths on the real contracts. */
export const benchGas: Bench = async (options) => [...await direct(options), ...await benchBatches(options)]

/** The direct path: open and settle, both signatures, salts, nullifier, solver fee; steady state after the first job. */
const direct: Bench = async ({ progress }) => {
  const test = await startTestChain()
  try {
    const [creator, provider, solver] = [namedSigner('creator'), namedSigner('provider'), namedSigner('solver')]
    const chain = await test.chainFor(solver)
    for (const party of [creator, provider, solver]) {
      await test.fund(party.address, 10_000_000_000)
      const own = await test.chainFor(party)
      await own.send(await own.depositCall(5_000_000_000), { name: 'deposit', signal: AbortSignal.timeout(10_000) })
    }
    const { domain } = chain
    const gas: number[] = []
    for (let jobNumber = 0; jobNumber < JOBS; jobNumber++) {
      const job = jobBody({ jobNumber, runSeconds: 10 })
      const terms = buildTerms({
        job, creator: creator.address, jobOfferId: hash(1), provider: provider.address, resourceOfferId: hash(2), solver: solver.address, solutionId: hash(3),
        price: 2_064_240, fee: 100_000, collateral: 5_160_600, mediators: { mediators: [], weights: [] }, parameters: DEVNET_DEAL_PARAMETERS, parametersHash: hash(4), certificateSet: hash(0), lines: [],
        lane: 0, openBy: await chain.blockTime() + 60, providerSaltHash: saltHash(hash(5)), creatorSaltHash: saltHash(hash(6))
      })
      const digest = dealTermsDigest(domain, terms)
      const signal = AbortSignal.timeout(10_000)
      const opened = await chain.send(openCall(chain, { terms, creatorSignature: creator.sign(digest), providerSignature: provider.sign(digest) }), { name: 'open', signal })
      const acceptance = creator.sign(acceptanceDigest(domain, { dealId: dealIdOf(domain, creator.address, jobNumber, 0), manifest: hash(7) }))
      const settled = await chain.send(settleCall(chain, terms, hash(7), acceptance), { name: 'settle', signal })
      if (await chain.stateOf(terms) !== 'Settled') throw new Error(`job ${jobNumber} is not settled on chain`)
      if (jobNumber === 0) progress(`first job ever of the pair: open ${opened.gas} + settle ${settled.gas}`)
      else gas.push(opened.gas + settled.gas)
    }
    const transfer = await chain.send(transferCall(creator.address, 1), { name: 'transfer', signal: AbortSignal.timeout(10_000) })
    const mean = gas.reduce((sum, value) => sum + value, 0) / gas.length
    return [
      atMost('direct path per job, mean of jobs 2 to 40', mean, LIMIT, 'gas', LILYPAD),
      reported('direct path per job, dearest of jobs 2 to 40', Math.max(...gas), 'gas', { name: 'one LILY transfer, this run', value: transfer.gas })
    ]
  } finally {
    await test.stop()
  }
}
