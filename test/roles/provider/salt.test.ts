import t from 'tap'
import { createManualClock } from '../../../src/core/clock.ts'
import { silentLogger } from '../../../src/core/logger.ts'
import type { Deal } from '../../../src/deal/deal.ts'
import { DEVNET_DEAL_PARAMETERS } from '../../../src/deal/options.ts'
import { createProvider } from '../../../src/roles/provider/provider.ts'
import { resultReceiptDigest } from '../../../src/wire/deal-messages.ts'
import type { Hash, Signature } from '../../../src/wire/shapes.ts'
import { namedSigner } from '../../support/chain.ts'
import { signDeal } from '../../support/deals.ts'
import { DOMAIN } from '../../support/records.ts'

const [creator, provider] = [namedSigner('creator'), namedSigner('provider')]
const { dealId, terms, providerView, salts } = signDeal({ domain: DOMAIN, creator, provider, now: 1000, jobNumber: 1, feeTo: provider.address })
const manifest = providerView.result?.manifest as Hash
const receipt = (signer = creator, of = manifest): Signature => signer.sign(resultReceiptDigest(DOMAIN, { dealId, manifest: of }))

/** A provider that holds one delivered deal; its answer to `salt`. */
async function ask (change: { signature?: Signature, manifest?: Hash, creatorSalt?: Hash } = {}): Promise<{ answer: unknown, noted: Hash | undefined }> {
  const deal = { dealId, terms, ownSalt: salts.provider, result: providerView.result } as unknown as Deal
  const { answers } = createProvider({
    deals: { get: () => deal, update: async (held: Deal, mutate: (deal: Deal) => void) => { mutate(held) } },
    chain: { domain: DOMAIN }, clock: createManualClock(), logger: silentLogger
  } as unknown as Parameters<typeof createProvider>[0], { parameters: DEVNET_DEAL_PARAMETERS } as Parameters<typeof createProvider>[1])
  const answer = await answers.salt?.({ type: 'salt', dealId, manifest, signature: receipt(), creatorSalt: salts.creator, ...change }, 'peer')
  return { answer, noted: deal.otherSalt }
}

t.test('a provider shows its salt against the creator\'s receipt of the result it delivered', async (t) => {
  t.same(await ask(), { answer: { providerSalt: salts.provider }, noted: salts.creator })
})

t.test('and for nothing less: without a receipt, for another result, or against another salt it keeps it', async (t) => {
  const other = `0x${'7'.repeat(64)}` as const
  await t.rejects(ask({ signature: receipt(provider) }), { code: 'DEAL_BAD_SIGNATURE' }, 'signed by somebody else')
  await t.rejects(ask({ signature: receipt(creator, other) }), { code: 'DEAL_BAD_SIGNATURE' }, 'a receipt of another manifest')
  await t.rejects(ask({ manifest: other, signature: receipt(creator, other) }), { code: 'DEAL_WRONG_MANIFEST' }, 'another manifest, properly receipted')
  await t.rejects(ask({ creatorSalt: other }), { code: 'DEAL_BAD_SALT' })
})
