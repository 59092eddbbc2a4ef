import { hash } from 'node:crypto'
import { buildTree, proofOf } from '../../src/chain/batch/tree.ts'
import { attestationDigest, attestationTopic, revokeAttestationDigest } from '../../src/wire/attestation.ts'
import { revokeDelegationDigest } from '../../src/wire/delegation.ts'
import { moduleVersionDigest, moduleVersionId } from '../../src/wire/module-version.ts'
import { rewardFundingDigest, rewardLeafHash, rewardPostingDigest } from '../../src/wire/rewards.ts'
import type { Address, Hash } from '../../src/wire/shapes.ts'
import type { Domain } from '../../src/wire/typed-data.ts'

const DOMAIN: Domain = { chainId: 31_337, market: '0x5fbdb2315678afecb367f032d93f642f64180aa3' }
const NOW = 1_700_000_000
const word = (name: string): Hash => `0x${hash('sha256', `lilynode vector ${name}`, 'hex')}`
const account = (name: string): Address => word(name).slice(0, 42) as Address

/** protocol/vectors/set.json: what is signed for Rewards, Modules and Directory, a tree of rewards, ids of versions. */
export function setVectors (): Record<string, unknown> {
  const entries = Array.from({ length: 5 }, (_, index) => ({ account: account(`earner ${index}`), amount: 10n ** BigInt(4 * index) + 7n })).sort((a, b) => a.account < b.account ? -1 : 1)
  const tree = buildTree(entries.map(rewardLeafHash))
  const posting = { poster: account('poster'), epoch: 3, total: String(entries.reduce((sum, { amount }) => sum + amount, 0n)), bond: 1e13, root: tree.root, data: word('list'), nonce: 2 }
  const funding = { from: account('treasury'), amount: 5_000_000_000, nonce: 0 }
  const version = { publisher: account('publisher'), name: 'cowsay', tag: 'v0.0.4', manifest: word('manifest'), parent: word('parent'), payee: account('author'), royaltyBp: 250 }
  const attestation = { issuer: account('issuer'), subject: account('subject'), topic: attestationTopic('gpu'), value: word('value'), notBefore: NOW, expiry: NOW + 86_400, nonce: 9 }
  const revokedDelegation = { account: account('account'), operator: account('operator'), nonce: NOW }
  const revokedAttestation = { issuer: attestation.issuer, nonce: 9 }
  return {
    'set.json': {
      domain: DOMAIN,
      rewards: {
        entries: entries.map((entry, index) => ({ account: entry.account, amount: String(entry.amount), leaf: rewardLeafHash(entry), proof: proofOf(tree, index) })),
        root: tree.root,
        posting: { ...posting, digest: rewardPostingDigest(DOMAIN, { ...posting, total: BigInt(posting.total) }) },
        funding: { ...funding, digest: rewardFundingDigest(DOMAIN, funding) }
      },
      module: { ...version, id: moduleVersionId(version), digest: moduleVersionDigest(DOMAIN, version) },
      attestation: { topicName: 'gpu', ...attestation, digest: attestationDigest(DOMAIN, attestation) },
      revokedAttestation: { ...revokedAttestation, digest: revokeAttestationDigest(DOMAIN, revokedAttestation) },
      revokedDelegation: { ...revokedDelegation, digest: revokeDelegationDigest(DOMAIN, revokedDelegation) }
    }
  }
}
