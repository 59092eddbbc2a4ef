import { keccakHex } from './keccak.ts'
import type { Address, Hash } from './shapes.ts'
import { encodeType, hashStruct, typedDigest, typeHashOf, type Domain, type StructType, type StructValue } from './typed-data.ts'

/** protocol/rewards.md. What is signed about rewards, and the leaves of their tree (`chain/batch/tree.ts` builds it). */
const POSTING = [
  ['poster', 'address'], ['epoch', 'uint64'], ['total', 'uint64'], ['bond', 'uint64'], ['root', 'bytes32'], ['data', 'bytes32'], ['nonce', 'uint256']
] as const satisfies StructType
/** The rewards of all time up to the end of `epoch` sum to `total` nLILY and have this root; `data` is the sha2-256 of the published list. */
export type RewardPosting = StructValue<typeof POSTING>

const FUNDING = [['from', 'address'], ['amount', 'uint64'], ['nonce', 'uint256']] as const satisfies StructType

const POSTING_TYPE_HASH = typeHashOf(encodeType('RewardPosting', POSTING))
const FUNDING_TYPE_HASH = typeHashOf(encodeType('RewardFunding', FUNDING))

/** What an account earned in all time, nLILY: a leaf. */
export interface RewardEntry { account: Address, amount: bigint }

/** The digest that the poster signs. */
export function rewardPostingDigest (domain: Domain, posting: RewardPosting): Hash {
  return typedDigest(domain, hashStruct(POSTING_TYPE_HASH, POSTING, posting))
}

/** The digest by which an account gives for rewards. */
export function rewardFundingDigest (domain: Domain, funding: StructValue<typeof FUNDING>): Hash {
  return typedDigest(domain, hashStruct(FUNDING_TYPE_HASH, FUNDING, funding))
}

/** The leaf's hash: twice, so that no inner node passes for one. */
export function rewardLeafHash ({ account, amount }: RewardEntry): Hash {
  const words = `${account.slice(2).padStart(64, '0')}${amount.toString(16).padStart(64, '0')}`
  return keccakHex(Buffer.from(keccakHex(Buffer.from(words, 'hex')).slice(2), 'hex'))
}
