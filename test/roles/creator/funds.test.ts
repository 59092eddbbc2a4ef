import t from 'tap'
import { zeroHash } from 'viem'
import { createManualClock } from '../../../src/core/clock.ts'
import { DEVNET_DEAL_PARAMETERS } from '../../../src/deal/options.ts'
import { DEFAULT_MATCH_RULES } from '../../../src/match/options.ts'
import { assertFunded, worstCost, type FundsComponents } from '../../../src/roles/creator/funds.ts'
import { cidDigest } from '../../../src/roles/run-job.ts'
import type { Verification } from '../../../src/wire/job-offer.ts'
import { address, CID } from '../../deal/deals.ts'

const options = { rules: { ...DEFAULT_MATCH_RULES, minFee: 1, feeBp: 200 }, parameters: { ...DEVNET_DEAL_PARAMETERS, auditFee: 500, claimFee: 100, poolBp: 0 } }
const RECEIPT: Verification = { strategy: 'receipt', auditBp: 0 }
const AUDIT: Verification = { strategy: 'audit', auditBp: 10_000 }
const VERSION = `0x${'11'.repeat(32)}` as const

t.test('the most that a job can cost: in a batch with the lines of its limit, by itself with what an audit holds back', async (t) => {
  const [author, pool] = [{ payee: address(1), amount: 250 }, { payee: address(0), amount: 25 }]
  t.same(worstCost({ limit: 10_000, verification: RECEIPT }, [author, pool], options), { alone: 10_200, batched: 10_475 })
  t.same(worstCost({ limit: 10_000, verification: AUDIT }, [], options), { alone: 10_800, batched: 10_200 })
})

t.test('a job is funded by free money, or by its session where it can go in a batch and its lines are covered', async (t) => {
  const judge = async (free: number, inSession: number, verification = RECEIPT, version: `0x${string}` = VERSION): Promise<unknown> => {
    const components = {
      chain: { account: async () => ({ free }), moduleVersion: async () => ({ manifest: cidDigest(CID), shares: [{ payee: address(1), bp: 250 }] }) },
      path: { spendable: async () => inSession }, signer: { address: address(9) }, clock: createManualClock(), versionOf: async () => version
    } as unknown as FundsComponents
    return await assertFunded(components, options, { limit: 10_000, verification, module: CID }).then(() => 'funded', (error: { code: string }) => error.code)
  }
  t.equal(await judge(10_200, 0), 'funded')
  t.equal(await judge(10_199, 10_449), 'JOB_UNFUNDED', 'the author\'s 2.5 % is not covered')
  t.equal(await judge(10_199, 10_450), 'funded')
  t.equal(await judge(0, 10_200, RECEIPT, zeroHash), 'funded', 'a module without a version has no author to pay')
  t.equal(await judge(10_799, 1_000_000, AUDIT), 'JOB_UNFUNDED', 'an audited job goes by itself')
  t.equal(await judge(10_800, 0, AUDIT), 'funded')
})
