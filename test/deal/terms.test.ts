import t from 'tap'
import { DEVNET_DEAL_PARAMETERS } from '../../src/deal/options.ts'
import { assertSameTerms, buildTerms, commonMediators, saltFor, type TermsInput } from '../../src/deal/terms.ts'
import { drawMediator, drawSeed, isAudited, mediatorRoot } from '../../src/wire/deal-messages.ts'
import { address, hash, jobOffer } from './deals.ts'

const input = (change: Partial<TermsInput> = {}): TermsInput => ({
  job: jobOffer(), creator: address(1), jobOfferId: hash(1), provider: address(2), resourceOfferId: hash(2), solver: address(3), solutionId: hash(3),
  price: 100, fee: 5, collateral: 250, mediators: { mediators: [], weights: [] }, parameters: DEVNET_DEAL_PARAMETERS, parametersHash: hash(9), certificateSet: hash(0), lines: [],
  lane: 4, openBy: 1000, providerSaltHash: hash(7), creatorSaltHash: hash(8), ...change
})

t.test('both sides build the same terms from the same match', (t) => {
  t.same(buildTerms(input()), buildTerms(input()))
  t.end()
})

t.test('a difference in any field is named', (t) => {
  const ours = buildTerms(input())
  for (const part of ['core', 'rest'] as const) {
    for (const field of Object.keys(ours[part])) {
      const theirs = structuredClone(ours)
      const fields = theirs[part] as Record<string, unknown>
      fields[field] = typeof fields[field] === 'number' ? (fields[field] as number) + 1 : hash(0xee)
      t.throws(() => { assertSameTerms(ours, theirs) }, { code: 'DEAL_TERMS_DIFFER', data: { field } }, field)
    }
  }
  t.end()
})

t.test('an audited deal holds the fees back and lets a cheat pay its own discovery', (t) => {
  const job = jobOffer({ verification: { strategy: 'audit', auditBp: 5000 } })
  const { claimFee, auditFee } = DEVNET_DEAL_PARAMETERS
  const { core, rest } = buildTerms(input({ job }))
  t.equal(core.reserve, claimFee + auditFee)
  t.equal(core.collateral, 250 + claimFee + auditFee)
  t.same([rest.verification, rest.auditBp], [2, 5000])
  t.equal(buildTerms(input()).core.reserve, 0, 'a receipt deal leaves the creator\'s account alone at settlement')
  t.end()
})

t.test('the submit window is never shorter than the job needs', (t) => {
  t.equal(buildTerms(input({ job: jobOffer({ runSeconds: 100 }) })).rest.submitSeconds, 110)
  t.equal(buildTerms(input({ job: jobOffer({ runSeconds: 1 }) })).rest.submitSeconds, DEVNET_DEAL_PARAMETERS.submitSeconds)
  t.end()
})

t.test('a job with much to fetch has longer to start, and so have those who run it again', (t) => {
  const windows = (change: Parameters<typeof jobOffer>[0]): number[] => {
    const { rest } = buildTerms(input({ job: jobOffer(change) }))
    return [rest.startBy, rest.judgeSeconds, rest.challengeSeconds]
  }
  const verification = { strategy: 'audit', auditBp: 5000 } as const
  const [startBy = 0, judge = 0, challenge = 0] = windows({ verification })
  t.same(windows({ verification, stageSeconds: 100 }), [startBy + 100, judge + 100, challenge + 100])
  t.same(windows({ stageSeconds: 100 })[1], DEVNET_DEAL_PARAMETERS.judgeSeconds, 'nobody runs an unaudited one again to judge it')
  t.end()
})

t.test('mediators are the bonded ones that both trust, without the parties', (t) => {
  const bonded = new Map([[address(5), 10], [address(6), 30], [address(2), 50]])
  const list = commonMediators([address(6), address(5), address(2), address(7)], [address(5), address(6), address(2), address(7)], bonded, [address(2)])
  t.same(list, { mediators: [address(5), address(6)], weights: [10, 30] })
  t.not(mediatorRoot(list), mediatorRoot({ mediators: [...list.mediators].reverse(), weights: [30, 10] }))
  t.end()
})

t.test('the draw follows the stakes and needs both salts', (t) => {
  const list = { mediators: [address(5), address(6)], weights: [1, 3] }
  const drawn = Array.from({ length: 400 }, (_, index) => drawMediator(drawSeed(hash(1), saltFor(hash(2), hash(index % 256)), hash(index >> 8)), list))
  const share = drawn.filter((mediator) => mediator === address(6)).length / drawn.length
  t.ok(share > 0.68 && share < 0.82, `three quarters of the weight, ${share}`)
  t.equal(drawMediator(hash(1), { mediators: [], weights: [] }), undefined)
  t.equal(isAudited(hash(1), 10_000), true)
  t.equal(isAudited(hash(1), 0), false)
  t.end()
})
