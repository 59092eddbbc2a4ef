import fc from 'fast-check'
import t from 'tap'
import { keccak256, stringToBytes, type Hex } from 'viem'
import { ABIS, type ContractName } from '../../src/chain/abis.ts'
import { approveCall } from '../../src/chain/account-calls.ts'
import { buildTree, proofOf } from '../../src/chain/batch/tree.ts'
import type { Chain } from '../../src/chain/chain.ts'
import { encodeCall } from '../../src/chain/encode-call.ts'
import { toLegacySignature } from '../../src/chain/signing.ts'
import { attestationDigest, attestationTopic, revokeAttestationDigest } from '../../src/wire/attestation.ts'
import { delegationDigest, revokeDelegationDigest } from '../../src/wire/delegation.ts'
import { moduleVersionDigest, moduleVersionId } from '../../src/wire/module-version.ts'
import { rewardFundingDigest, rewardLeafHash, rewardPostingDigest } from '../../src/wire/rewards.ts'
import type { Address, Hash, Signature } from '../../src/wire/shapes.ts'
import { namedSigner, startTestChain, type TestChain } from '../support/chain.ts'

/** What nodes encode, against what the contracts make of it; everything is sent by a relay that is not the account. */

const DAY = 86_400
const ZERO_WORD: Hash = `0x${'0'.repeat(64)}`
const ZERO: Address = `0x${'0'.repeat(40)}`
let chain: TestChain
let relay: Chain
t.before(async () => {
  chain = await startTestChain()
  relay = await chain.chainFor(namedSigner('relay'))
  await chain.fund(relay.address)
})
t.teardown(async () => { await chain.stop() })

const signal = AbortSignal.timeout(60_000)
const send = async (call: Parameters<Chain['send']>[0]): Promise<void> => { await relay.send(call, { name: call.functionName, signal }) }
const at = <C extends ContractName>(name: C): { address: Address, abi: typeof ABIS[C] } => ({ address: chain.deployment.contracts[name], abi: ABIS[name] })
const hex = (bytes: number): fc.Arbitrary<Hex> => fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((array) => `0x${Buffer.from(array).toString('hex')}` as const)
/** r, s and v as OpenZeppelin's ECDSA takes them. */
const plain = (signature: Signature): Hex => {
  const { r, s, v } = toLegacySignature(signature)
  return `${r}${s.slice(2)}${v.toString(16)}` as Hex
}

t.test('leaves and version ids are the contracts\'', async () => {
  const { viem } = chain.clients
  await fc.assert(fc.asyncProperty(hex(20), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), async (account, amount) =>
    await viem.readContract({ ...at('rewards'), functionName: 'leaf', args: [account, amount] }) === rewardLeafHash({ account, amount })), { numRuns: 30, seed: 5 })
  await fc.assert(fc.asyncProperty(hex(20), fc.string({ unit: 'binary', maxLength: 16 }), fc.string({ maxLength: 16 }), async (publisher, name, tag) =>
    await viem.readContract({ ...at('modules'), functionName: 'versionId', args: [publisher, name, tag] }) === moduleVersionId({ publisher, name, tag })), { numRuns: 30, seed: 5 })
})

t.test('a root that was posted by signature is claimed by everybody in its tree', async (t) => {
  const { treasury, clients: { viem } } = chain
  const domain = relay.domain
  const poster = namedSigner('poster')
  const bond = BigInt(chain.deployment.parameters.governed.posterBond)
  await chain.fund(poster.address, Number(bond))
  const { rewards } = chain.deployment.contracts
  const bank = await chain.chainFor(treasury)
  await bank.send(approveCall(rewards, 1_000_000), { name: 'approve', signal })
  await (await chain.chainFor(poster)).send(approveCall(rewards, Number(bond)), { name: 'approve', signal })

  const funding = { from: treasury.address, amount: 1_000_000n, nonce: 0n }
  await send(encodeCall('rewards', 'fund', [funding.from, funding.amount, funding.nonce, plain(treasury.sign(rewardFundingDigest(domain, funding)))]))
  const entries = Array.from({ length: 7 }, (_, index) => ({ account: namedSigner(`earner ${index}`).address, amount: BigInt(index + 1) * 1000n })).sort((a, b) => a.account < b.account ? -1 : 1)
  const tree = buildTree(entries.map(rewardLeafHash))
  const posting = { poster: poster.address, epoch: 1n, total: 28_000n, bond, root: tree.root, data: keccak256(stringToBytes('list')), nonce: 0n }
  await chain.advance(7 * DAY)
  await send(encodeCall('rewards', 'post', [posting, plain(poster.sign(rewardPostingDigest(domain, posting)))]))
  await chain.advance(3 * DAY + 1)
  await send(encodeCall('rewards', 'finalize', []))
  for (const [index, { account, amount }] of entries.entries()) {
    await send(encodeCall('rewards', 'claim', [account, amount, proofOf(tree, index)]))
    t.equal((await relay.account(account)).free, Number(amount))
  }
  const [total, paid, funded] = await viem.readContract({ ...at('rewards'), functionName: 'sums' })
  t.same([total, paid, funded], [28_000n, 28_000n, 1_000_000n])
  t.equal(await viem.readContract({ ...at('token'), functionName: 'balanceOf', args: [rewards] }), 972_000n)
})

t.test('a version that was published by signature stands there', async (t) => {
  const publisher = namedSigner('publisher')
  const version = { publisher: publisher.address, name: 'cowsay', tag: 'v0.0.4', manifest: keccak256(stringToBytes('manifest')), parent: ZERO_WORD, payee: namedSigner('author').address, royaltyBp: 250 }
  await send(encodeCall('modules', 'publish', [version, plain(publisher.sign(moduleVersionDigest(relay.domain, version)))]))
  const fork = { ...version, tag: 'v1', parent: moduleVersionId(version), payee: ZERO, royaltyBp: 0 }
  await send(encodeCall('modules', 'publish', [fork, plain(publisher.sign(moduleVersionDigest(relay.domain, fork)))]))
  const entry = await chain.clients.viem.readContract({ ...at('modules'), functionName: 'entry', args: [moduleVersionId(fork)] })
  t.match(entry, { manifest: version.manifest, parent: moduleVersionId(version), lineageBp: 250, depth: 1 })
})

t.test('the delegation that records carry is good in the Directory, until it is revoked by signature', async (t) => {
  const { domain } = relay
  const { viem } = chain.clients
  const [account, operator] = [namedSigner('account'), namedSigner('operator')]
  const now = await relay.blockTime()
  const statement = { account: account.address, operator: operator.address, peerId: '12D3KooWAfPDpPRRRBrmqy9is2zjU5srQ4hKuZitiGmh4NTTpS2d', roles: 16, notBefore: now - 10, expiry: now + 30 * DAY, nonce: 4 }
  const signature = plain(account.sign(delegationDigest(domain, statement)))
  const { peerId, notBefore, expiry, nonce, ...rest } = statement
  const delegation = { ...rest, peerIdHash: keccak256(stringToBytes(peerId)), notBefore: BigInt(notBefore), expiry: BigInt(expiry), nonce: BigInt(nonce) }
  const holds = async (): Promise<boolean> => await viem.readContract({ ...at('directory'), functionName: 'holdsDelegation', args: [delegation, signature] })
  t.ok(await holds())
  await send(encodeCall('directory', 'delegate', [delegation, signature]))
  t.match(await viem.readContract({ ...at('directory'), functionName: 'delegationOf', args: [account.address, operator.address] }), { peerIdHash: delegation.peerIdHash, roles: 16, nonce: 4n })
  const revocation = { account: account.address, operator: operator.address, nonce: 4 }
  await send(encodeCall('directory', 'revokeDelegation', [account.address, operator.address, 4n, plain(account.sign(revokeDelegationDigest(domain, revocation)))]))
  t.notOk(await holds())

  const attestation = { issuer: account.address, subject: operator.address, topic: attestationTopic('gpu'), value: keccak256(stringToBytes('h100')), notBefore: BigInt(now - 10), expiry: BigInt(now + 30 * DAY), nonce: 1n }
  const word = plain(account.sign(attestationDigest(domain, attestation)))
  const attested = async (): Promise<boolean> => await viem.readContract({ ...at('directory'), functionName: 'holdsAttestation', args: [attestation, word] })
  t.ok(await attested())
  await send(encodeCall('directory', 'attest', [attestation, word]))
  await send(encodeCall('directory', 'revokeAttestation', [account.address, 1n, plain(account.sign(revokeAttestationDigest(domain, { issuer: account.address, nonce: 1n })))]))
  t.notOk(await attested())
})
t.end()
