import t from 'tap'
import fc from 'fast-check'
import { bytesToHex, getAddress, hashDomain, hashTypedData } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { createSigner } from '../../src/identity/signer.ts'
import { delegationDigest } from '../../src/wire/delegation.ts'
import { RECORD_KINDS, recordId, type RecordKind } from '../../src/wire/record.ts'
import type { Address, Hash } from '../../src/wire/shapes.ts'
import { recoverSigner } from '../../src/wire/signature.ts'
import { domainSeparator, encodeType, hashStruct, typedDigest, typeHashOf, type Domain, type StructType } from '../../src/wire/typed-data.ts'
import { DOMAIN } from '../support/records.ts'

const hex = (bytes: number): fc.Arbitrary<`0x${string}`> => fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((value) => bytesToHex(value))
const domains = fc.record({ chainId: fc.integer({ min: 1, max: 2 ** 40 }), market: hex(20) as fc.Arbitrary<Address> })
const toViem = (domain: Domain) => ({ name: 'lilynode', version: '1', chainId: domain.chainId, verifyingContract: domain.market })
const DOMAIN_FIELDS = [
  { name: 'name', type: 'string' }, { name: 'version', type: 'string' }, { name: 'chainId', type: 'uint256' }, { name: 'verifyingContract', type: 'address' }
]

t.test('the domain separator is viem\'s', async (t) => {
  fc.assert(fc.property(domains, (domain) => {
    t.equal(domainSeparator(domain), hashDomain({ domain: toViem(domain) as never, types: { EIP712Domain: DOMAIN_FIELDS } }))
  }), { numRuns: 50, seed: 1 })
})

t.test('every field type hashes as viem does', async (t) => {
  const ALL = [['a', 'address'], ['b', 'bytes32'], ['c', 'bool'], ['d', 'uint8'], ['e', 'uint16'], ['f', 'uint32'], ['g', 'uint64'], ['h', 'uint256']] as const satisfies StructType
  const values = fc.record({
    a: hex(20), b: hex(32), c: fc.boolean(), d: fc.nat(255), e: fc.nat(65_535), f: fc.nat(2 ** 32 - 1),
    g: fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.maxSafeNat()), h: fc.bigInt({ min: 0n, max: 2n ** 256n - 1n })
  })
  fc.assert(fc.property(domains, values, (domain, value) => {
    const ours = typedDigest(domain, hashStruct(typeHashOf(encodeType('Everything', ALL)), ALL, value))
    const theirs = hashTypedData({
      domain: toViem(domain), primaryType: 'Everything',
      types: { Everything: ALL.map(([name, type]) => ({ name, type })) },
      message: { ...value, a: getAddress(value.a), g: BigInt(value.g) }
    })
    t.equal(ours, theirs)
  }), { numRuns: 100, seed: 2 })
})

t.test('the id of a record is what a wallet would sign', async (t) => {
  const heads = fc.record({
    kind: fc.constantFrom(...Object.keys(RECORD_KINDS) as RecordKind[]), account: hex(20) as fc.Arbitrary<Address>, operator: hex(20) as fc.Arbitrary<Address>,
    slot: fc.nat(2 ** 32 - 1), seq: fc.maxSafeNat(), bodyHash: hex(32) as fc.Arbitrary<Hash>
  })
  fc.assert(fc.property(domains, heads, (domain, head) => {
    t.equal(recordId(domain, head), hashTypedData({
      domain: toViem(domain), primaryType: 'Record',
      types: { Record: [{ name: 'kind', type: 'uint8' }, { name: 'account', type: 'address' }, { name: 'operator', type: 'address' }, { name: 'slot', type: 'uint32' }, { name: 'seq', type: 'uint64' }, { name: 'bodyHash', type: 'bytes32' }] },
      message: { ...head, kind: RECORD_KINDS[head.kind], seq: BigInt(head.seq) }
    }))
  }), { numRuns: 50, seed: 3 })
})

t.test('a delegation signed by a wallet is valid here, and ours there', async (t) => {
  const key = new Uint8Array(32).fill(7)
  const wallet = privateKeyToAccount(bytesToHex(key))
  const account = wallet.address.toLowerCase() as Address
  const delegation = { account, operator: `0x${'22'.repeat(20)}` as Address, peerId: '12D3KooWGzh2hTJQzVyZQYkVr5WqPs2cM8Jr1T5Lq1hT1yJkJQ3V', roles: 5, notBefore: 1, expiry: 2, nonce: 3 }
  const digest = delegationDigest(DOMAIN, delegation)
  const { keccak256, stringToBytes, signatureToCompactSignature, parseSignature, serializeCompactSignature } = await import('viem')
  const signature = await wallet.signTypedData({
    domain: toViem(DOMAIN), primaryType: 'Delegation',
    types: { Delegation: [{ name: 'account', type: 'address' }, { name: 'operator', type: 'address' }, { name: 'peerIdHash', type: 'bytes32' }, { name: 'roles', type: 'uint16' }, { name: 'notBefore', type: 'uint64' }, { name: 'expiry', type: 'uint64' }, { name: 'nonce', type: 'uint64' }] },
    message: { account, operator: delegation.operator, peerIdHash: keccak256(stringToBytes(delegation.peerId)), roles: 5, notBefore: 1n, expiry: 2n, nonce: 3n }
  })
  const compact = serializeCompactSignature(signatureToCompactSignature(parseSignature(signature)))
  t.equal(createSigner(key).sign(digest), compact, 'the same compact signature')
  t.equal(recoverSigner(digest, compact), account)
})

t.test('the cached separator is that of its own domain', async (t) => {
  const other = { ...DOMAIN, chainId: DOMAIN.chainId + 1 }
  t.not(domainSeparator(DOMAIN), domainSeparator(other))
  t.not(domainSeparator(DOMAIN), domainSeparator({ ...DOMAIN, market: `0x${'11'.repeat(20)}` }))
})
