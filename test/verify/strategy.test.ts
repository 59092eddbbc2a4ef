import { sha256 } from 'viem'
import t from 'tap'
import { checkReceipt } from '../../src/verify/receipt.ts'
import { decide, drawAudit } from '../../src/verify/strategy.ts'
import { saltHash } from '../../src/wire/deal-messages.ts'
import type { ResultManifest } from '../../src/wire/result-manifest.ts'
import { address, CID, hash, jobOffer, REST } from '../deal/deals.ts'

const salts = { creator: hash(1), provider: hash(2) }
const audited = { ...REST, verification: 2, auditBp: 10_000, creatorSaltHash: saltHash(salts.creator), providerSaltHash: saltHash(salts.provider) }
const list = { mediators: [address(5)], weights: [10] }

t.test('none pays unseen, receipt after the outputs, audit after the draw', (t) => {
  t.same(decide(hash(9), { ...REST, verification: 0 }, { creator: hash(1), provider: undefined }, list), { action: 'accept', beforeFetch: true })
  t.same(decide(hash(9), REST, { creator: hash(1), provider: undefined }, list), { action: 'accept', beforeFetch: false })
  t.same(decide(hash(9), audited, { creator: salts.creator, provider: undefined }, list), { action: 'ask-salt' })
  t.same(decide(hash(9), audited, salts, list), { action: 'audit', mediator: address(5) })
  t.same(decide(hash(9), { ...audited, auditBp: 0 }, salts, list), { action: 'accept', beforeFetch: false })
  t.end()
})

t.test('a salt that is not the committed one draws nothing', (t) => {
  t.throws(() => drawAudit(hash(9), audited, { creator: hash(7), provider: salts.provider }, list), { code: 'VERIFY_BAD_SALT' })
  t.throws(() => drawAudit(hash(9), audited, { creator: salts.creator, provider: hash(7) }, list), { code: 'VERIFY_BAD_SALT' })
  t.end()
})

t.test('about one deal in ten is audited at 10 %', (t) => {
  let count = 0
  for (let deal = 0; deal < 1000; deal++) if (drawAudit(`0x${deal.toString(16).padStart(64, '0')}`, { ...audited, auditBp: 1000 }, salts, list).audited) count++
  t.ok(count > 60 && count < 140, String(count))
  t.end()
})

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const tree = new Map([['stdout', bytes('moo')], ['stderr', bytes('')], ['exitCode', bytes('0\n')]])
const manifest: ResultManifest = {
  version: 1, dealId: hash(9), job: hash(7), module: CID, inputs: CID, sealedInputs: '', outputs: CID, sealedOutputs: '', reason: 'exited', exitCode: 0, message: '', stdoutDigest: sha256(bytes('moo')), stderrDigest: sha256(bytes('')),
  meter: { wallMs: 1, memoryMiB: 1, fuel: 0 }, executor: 'x', finishedAtMs: 1
}

const DEAL = { dealId: hash(9), jobOfferId: hash(7) }

t.test('a receipt holds when manifest, job and outputs agree, and names what does not', (t) => {
  checkReceipt(DEAL, jobOffer(), manifest, CID, tree)
  const differs = (change: Partial<ResultManifest>, field: string): void => { t.throws(() => { checkReceipt(DEAL, jobOffer(), { ...manifest, ...change }, CID, tree) }, { code: 'VERIFY_MANIFEST_DIFFERS', data: { field } }, field) }
  const otherCid = CID.replace('bafkreigh', 'bafkreiaa')
  differs({ dealId: hash(8) }, 'dealId')
  differs({ job: hash(8) }, 'job')
  differs({ module: otherCid }, 'module')
  differs({ inputs: otherCid }, 'inputs')
  differs({ outputs: otherCid }, 'outputs')
  differs({ stdoutDigest: hash(1) }, 'stdoutDigest')
  differs({ stderrDigest: hash(1) }, 'stderrDigest')
  differs({ exitCode: 3 }, 'exitCode')
  t.throws(() => { checkReceipt(DEAL, jobOffer(), manifest, CID, new Map([['stdout', bytes('moo')]])) }, { code: 'VERIFY_OUTPUT_MISSING', data: { name: 'stderr' } })
  t.end()
})
