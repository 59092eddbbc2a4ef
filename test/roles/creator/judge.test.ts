import t from 'tap'
import type { ContractCall } from '../../../src/chain/chain.ts'
import { createManualClock, createSystemClock } from '../../../src/core/clock.ts'
import { silentLogger } from '../../../src/core/logger.ts'
import type { Deal } from '../../../src/deal/deal.ts'
import { RequestError } from '../../../src/mesh/errors.ts'
import { createJournal } from '../../../src/deal/journal.ts'
import { openDealBook } from '../../../src/roles/deal-book.ts'
import { createCourt } from '../../../src/roles/court.ts'
import { createVerdicts, type Verdicts } from '../../../src/roles/verdicts.ts'
import { createJudge, type Judge, type JudgeComponents } from '../../../src/roles/creator/judge.ts'
import { mediatorRoot, OUTCOMES, saltHash, verdictDigest } from '../../../src/wire/deal-messages.ts'
import { dealIdOf, type DealTerms } from '../../../src/wire/deal-terms.ts'
import { createMemoryDatastore } from '../../support/memory-datastore.ts'
import { DOMAIN, testSigner } from '../../support/records.ts'
import { hash, PEER, REST } from '../../deal/deals.ts'

const creator = testSigner(1)
const provider = testSigner(2)
const mediator = testSigner(3)
const salts = { creator: hash(21), provider: hash(22) }
const mediators = { mediators: [mediator.address], weights: [10] }
const signal = new AbortController().signal

/** What the Court would tell of a transaction. */
function eventsOf (name: string): unknown[] {
  if (name === 'challenge') return [{ name: 'Challenged', args: { manifest: hash(31), saltCreator: salts.creator } }]
  const drawn = { name: 'MediatorDrawn', args: { mediator: mediator.address, saltProvider: salts.provider } }
  return name === 'reveal' ? [drawn] : name === 'rule' ? [drawn, { name: 'VerdictGiven', args: { mediator: mediator.address } }] : []
}

/** A delivered, submitted, fully audited deal, and what the judge did with it. */
async function setUp (change: { rest?: Partial<DealTerms['rest']>, deal?: Partial<Deal>, outcome?: number, salt?: Error } = {}): Promise<{ judge: Judge, deal: Deal, sent: string[], accepted: number[], asked: string[] }> {
  const core: DealTerms['core'] = { creator: creator.address, provider: provider.address, feeTo: hash(9).slice(0, 42) as DealTerms['core']['feeTo'], price: 100, fee: 5, collateral: 300, reserve: 30, jobNumber: 7, attempt: 0, lane: 0, openBy: 900 }
  const rest = { ...REST, verification: 2, auditBp: 10_000, mediatorRoot: mediatorRoot(mediators), creatorSaltHash: saltHash(salts.creator), providerSaltHash: saltHash(salts.provider), ...change.rest }
  const deal: Deal = {
    dealId: dealIdOf(DOMAIN, creator.address, 7, 0), role: 'creator', state: 'ResultsSubmitted', epoch: 1, terms: { core, rest }, mediators, jobRecord: Uint8Array.of(1), devices: [], peer: PEER, ownSalt: salts.creator,
    creatorSignature: `0x${'1'.repeat(130)}`, providerSignature: `0x${'2'.repeat(130)}`, submittedAt: 1000,
    result: { manifest: hash(31), outputRoot: hash(32), manifestCid: 'a', outputsCid: 'b', manifestBytes: Uint8Array.of(2), signature: `0x${'3'.repeat(130)}` }, transactions: [], updatedAtMs: 0, ...change.deal
  }
  const sent: string[] = []
  const accepted: number[] = []
  const asked: string[] = []
  const outcome = change.outcome ?? OUTCOMES.correct
  const components = {
    deals: await openDealBook({ journal: createJournal({ datastore: createMemoryDatastore() }, { role: 'creator' }), clock: createManualClock() }),
    room: {
      salt: async () => { if (change.salt !== undefined) throw change.salt; return salts.provider },
      accept: async () => { accepted.push(1) },
      mediate: async (peer: string) => {
        asked.push(peer)
        if (outcome === 0) throw new Error('away')
        return { mediator: mediator.address, outcome, evidence: hash(0), signature: mediator.sign(verdictDigest(DOMAIN, { dealId: deal.dealId, manifest: hash(31), outcome, evidence: hash(0) })) }
      }
    },
    chain: {
      domain: DOMAIN,
      blockTime: async () => 1006,
      mediators: async () => [{ address: mediator.address, bond: 10 }],
      deployment: { parameters: { unbondSeconds: 10_000 } },
      send: async (_call: ContractCall, { name }: { name: string }) => { sent.push(name); return { name, hash: hash(sent.length), gas: 1, from: creator.address, blockTime: 1006, events: eventsOf(name) } }
    },
    mesh: { roles: { find: async () => ['found'] } },
    contacts: { peerOf: () => 'known' },
    // An audited deal is none of a batch.
    leaves: { takeReceipt: async () => undefined },
    statements: { sign: () => undefined, send: async () => undefined },
    signer: creator,
    logger: silentLogger
  }
  const verdicts: Verdicts = createVerdicts(components as unknown as Parameters<typeof createVerdicts>[0], { domain: DOMAIN, signal })
  const court = createCourt({ ...components, verdicts, clock: createSystemClock() } as unknown as Parameters<typeof createCourt>[0], { signal })
  return { judge: createJudge({ ...components, verdicts, court } as unknown as JudgeComponents, { signal }), deal, sent, accepted, asked }
}

t.test('a drawn result is accepted after the mediator said that it is right', async (t) => {
  const { judge, deal, sent, accepted, asked } = await setUp()
  await judge.judge(deal)
  t.same([accepted.length, sent, asked], [1, [], ['known']], 'the drawn mediator\'s own node was asked')
  t.match(deal.verdict, { mediator: mediator.address, outcome: OUTCOMES.correct })
})

t.test('a wrong one goes to the court with salts and verdict', async (t) => {
  const { judge, deal, sent, accepted } = await setUp({ outcome: OUTCOMES.wrong })
  await judge.judge(deal)
  t.same([accepted, sent, deal.state], [[], ['challenge', 'rule'], 'ResultsChallenged'])
})

t.test('a salt that is kept back goes to the court too', async (t) => {
  const { judge, deal, sent, accepted } = await setUp({ salt: new RequestError('DEAL_WRONG_MANIFEST', 'no', { data: { remote: true } }) })
  await judge.judge(deal)
  t.same([accepted, sent], [[], ['challenge']])
})

t.test('a provider that is away when its salt is asked for is asked again, and taken to court when half of the judge window is over', async (t) => {
  const { judge, deal, sent } = await setUp({ salt: new RequestError('MESH_UNREACHABLE', 'gone') })
  await t.rejects(judge.judge(deal), { code: 'MESH_UNREACHABLE' })
  t.same(sent, [])
  await judge.escalate(deal, 1005)
  t.same(sent, ['challenge'])
})

t.test('no mediator answers: not accepted, and in court before the judge window ends', async (t) => {
  const { judge, deal, sent, accepted } = await setUp({ outcome: 0 })
  await t.rejects(judge.judge(deal), { code: 'JOB_NO_VERDICT' })
  await judge.escalate(deal, 1004)
  t.same([accepted, sent], [[], []], 'half of the window is not over')
  await judge.escalate(deal, 1005)
  t.same([accepted, sent], [[], ['challenge', 'reveal']])
  await judge.escalate(deal, 1006)
  t.equal(sent.length, 2, 'once')
})

t.test('in court a verdict that was missing is fetched', async (t) => {
  const { judge, deal, sent } = await setUp({ outcome: OUTCOMES.wrong, deal: { state: 'ResultsChallenged', challengedAt: 1005, revealedAt: 1006, otherSalt: salts.provider, dispute: { manifest: hash(31), creatorSalt: salts.creator, providerSalt: salts.provider, mediators: [mediator.address] } } })
  await judge.judge(deal)
  t.same(sent, ['verdict'])
})

t.test('what need not be audited is never escalated', async (t) => {
  const undrawn = { rest: { auditBp: 0 }, deal: { otherSalt: salts.provider } }
  for (const change of [{ rest: { verification: 1 } }, undrawn, { deal: { acceptance: `0x${'4'.repeat(130)}` as const } }, { deal: { state: 'ResultsAccepted' as const } }]) {
    const { judge, deal, sent } = await setUp(change)
    await judge.escalate(deal, 1009)
    t.same(sent, [])
  }
  const { judge, deal, sent } = await setUp()
  delete deal.submittedAt
  await judge.escalate(deal, 1009)
  t.same(sent, [], 'nor what is not on chain')
})
