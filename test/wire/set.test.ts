import { readFileSync } from 'node:fs'
import t from 'tap'
import { encodeAbiParameters, hashTypedData, keccak256, parseAbiParameters, stringToBytes, type Hex } from 'viem'
import { attestationDigest, attestationTopic, revokeAttestationDigest, type Attestation } from '../../src/wire/attestation.ts'
import { revokeDelegationDigest } from '../../src/wire/delegation.ts'
import { moduleVersionDigest, moduleVersionId, type ModuleVersion } from '../../src/wire/module-version.ts'
import { rewardFundingDigest, rewardLeafHash, rewardPostingDigest, type RewardPosting } from '../../src/wire/rewards.ts'
import type { Address, Hash } from '../../src/wire/shapes.ts'
import type { Domain } from '../../src/wire/typed-data.ts'

interface Typed { digest: Hash }
const read = (path: string): string => readFileSync(new URL(`../../protocol/${path}`, import.meta.url), 'utf8')
const vectors = JSON.parse(read('vectors/set.json')) as {
  domain: Domain
  rewards: { entries: Array<{ account: Address, amount: string, leaf: Hash, proof: Hash[] }>, root: Hash, posting: Omit<RewardPosting, 'total'> & { total: string } & Typed, funding: { from: Address, amount: number, nonce: number } & Typed }
  module: ModuleVersion & { id: Hash } & Typed, attestation: Attestation & { topicName: string } & Typed
  revokedAttestation: { issuer: Address, nonce: number } & Typed, revokedDelegation: { account: Address, operator: Address, nonce: number } & Typed
}
const { domain, rewards } = vectors

/** What a wallet signs that knows only the page and the message. */
function onPage (page: string, name: string, message: Record<string, unknown>): Hex {
  const [, fields = ''] = new RegExp(`\\b${name}\\(([^)]*)\\)`).exec(read(page)) ?? []
  const types = { [name]: fields.split(',').map((field) => { const [type = '', of = ''] = field.trim().split(' '); return { name: of, type } }) }
  return hashTypedData({ domain: { name: 'lilynode', version: '1', chainId: domain.chainId, verifyingContract: domain.market }, types, primaryType: name, message })
}

t.test('what is signed follows the pages and equals the vectors', (t) => {
  const { posting, funding } = rewards
  for (const [page, name, { digest, ...message }, ours] of [
    ['rewards.md', 'RewardPosting', posting, rewardPostingDigest(domain, { ...posting, total: BigInt(posting.total) })],
    ['rewards.md', 'RewardFunding', funding, rewardFundingDigest(domain, funding)],
    ['module.md', 'ModuleVersion', vectors.module, moduleVersionDigest(domain, vectors.module)],
    ['identity.md', 'Attestation', vectors.attestation, attestationDigest(domain, vectors.attestation)],
    ['identity.md', 'RevokeAttestation', vectors.revokedAttestation, revokeAttestationDigest(domain, vectors.revokedAttestation)],
    ['identity.md', 'RevokeDelegation', vectors.revokedDelegation, revokeDelegationDigest(domain, vectors.revokedDelegation)]
  ] as const) {
    t.equal(ours, digest, name)
    t.equal(onPage(page, name, { ...message }), digest, `${name} by its page`)
  }
  t.equal(attestationTopic(vectors.attestation.topicName), vectors.attestation.topic)
  t.end()
})

t.test('leaves and ids are what the pages say', (t) => {
  for (const { account, amount, leaf } of rewards.entries) {
    t.equal(rewardLeafHash({ account, amount: BigInt(amount) }), leaf)
    t.equal(keccak256(keccak256(encodeAbiParameters(parseAbiParameters('address, uint64'), [account, BigInt(amount)]))), leaf)
  }
  const { publisher, name, tag, id } = vectors.module
  t.equal(moduleVersionId({ publisher, name, tag }), id)
  const text = (value: string): Hex => keccak256(stringToBytes(value))
  t.equal(keccak256(encodeAbiParameters(parseAbiParameters('address, bytes32, bytes32'), [publisher, text(name), text(tag)])), id)
  t.end()
})
