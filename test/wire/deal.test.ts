import { readFileSync } from 'node:fs'
import t from 'tap'
import { hashStruct as viemHashStruct, hashTypedData } from 'viem'
import { acceptanceDigest, appealDigest, challengeDigest, nullifyDigest, openingPromiseDigest, resultCommitDigest, resultReceiptDigest, startReceiptDigest, verdictDigest } from '../../src/wire/deal-messages.ts'
import { dealIdOf, dealRestHash, dealTermsDigest, dealTermsShape } from '../../src/wire/deal-terms.ts'
import { sessionDigest } from '../../src/wire/session.ts'
import type { Domain } from '../../src/wire/typed-data.ts'

const read = (path: string): string => readFileSync(new URL(`../../protocol/${path}`, import.meta.url), 'utf8')
const vectors = JSON.parse(read('vectors/deal.json')) as {
  domain: Domain, terms: Record<'core' | 'rest', Record<string, unknown>>, dealId: string, restHash: string, digest: string, messages: Array<{ name: string, message: Record<string, unknown>, digest: string }>
}

/** The types as the pages write them: what a second implementation would start from. */
const types = Object.fromEntries([...`${read('deal.md')}\n${read('identity.md')}`.matchAll(/^`?([A-Z][A-Za-z]+)\(([^)]*)\)`?$/gm)]
  .map(([, name = '', fields = '']) => [name, fields.split(',').map((field) => { const [type = '', of = ''] = field.trim().split(' '); return { name: of, type } })]))
const domain = { name: 'lilynode', version: '1', chainId: vectors.domain.chainId, verifyingContract: vectors.domain.market }

t.test('a wallet that knows only the pages signs the digests of the vectors', async (t) => {
  const { DealTerms = [], DealCore = [], DealRest = [] } = types
  t.equal(hashTypedData({ domain, types: { DealTerms, DealCore, DealRest }, primaryType: 'DealTerms', message: vectors.terms }), vectors.digest)
  t.equal(viemHashStruct({ data: vectors.terms.rest, primaryType: 'DealRest', types: { DealRest } }), vectors.restHash)
  for (const { name, message, digest } of vectors.messages) t.equal(hashTypedData({ domain, types: { [name]: types[name] ?? [] }, primaryType: name, message }), digest, name)
})

t.test('so does our code', async (t) => {
  const terms = dealTermsShape.parse(vectors.terms)
  t.equal(dealTermsDigest(vectors.domain, terms), vectors.digest)
  t.equal(dealRestHash(terms.rest), vectors.restHash)
  t.equal(dealIdOf(vectors.domain, terms.core.creator, terms.core.jobNumber, terms.core.attempt), vectors.dealId)
  const digests: Record<string, (domain: Domain, message: never) => string> = {
    StartReceipt: startReceiptDigest, ResultCommit: resultCommitDigest, ResultReceipt: resultReceiptDigest, Acceptance: acceptanceDigest, Challenge: challengeDigest, Verdict: verdictDigest,
    Nullify: nullifyDigest, Appeal: appealDigest, OpeningPromise: openingPromiseDigest, Session: sessionDigest
  }
  t.same(vectors.messages.map(({ name }) => name), Object.keys(digests))
  for (const { name, message, digest } of vectors.messages) t.equal(digests[name]?.(vectors.domain, message as never), digest, name)
})
