import { keccakHex } from './keccak.ts'
import type { Address, Hash } from './shapes.ts'
import { hashStruct, typedDigest, typeHashOf, type Domain, type StructType } from './typed-data.ts'

/** protocol/module.md, "On chain". One version of a module as its publisher signs it for the contract Modules. */
export interface ModuleVersion {
  publisher: Address
  name: string
  tag: string
  /** sha2-256 of the manifest; its CID is CIDv1, raw, of that. */
  manifest: Hash
  /** Id of the version that this one is made from; zero: none. */
  parent: Hash
  /** Of the royalty; the zero address exactly if `royaltyBp` is 0. */
  payee: Address
  /** In 1/10,000 of a job's price. */
  royaltyBp: number
}

const TYPE_HASH = typeHashOf('ModuleVersion(address publisher,string name,string tag,bytes32 manifest,bytes32 parent,address payee,uint16 royaltyBp)')
/** As it is hashed: EIP-712 puts the hash of a text in its place. */
const HASHED = [
  ['publisher', 'address'], ['name', 'bytes32'], ['tag', 'bytes32'], ['manifest', 'bytes32'], ['parent', 'bytes32'], ['payee', 'address'], ['royaltyBp', 'uint16']
] as const satisfies StructType

/** The digest that the publisher signs. */
export function moduleVersionDigest (domain: Domain, version: ModuleVersion): Hash {
  return typedDigest(domain, hashStruct(TYPE_HASH, HASHED, { ...version, name: typeHashOf(version.name), tag: typeHashOf(version.tag) }))
}

/** The version's id: keccak256 of the publisher and the hashes of name and tag, a word each. */
export function moduleVersionId ({ publisher, name, tag }: Pick<ModuleVersion, 'publisher' | 'name' | 'tag'>): Hash {
  return keccakHex(Buffer.from(`${publisher.slice(2).padStart(64, '0')}${typeHashOf(name).slice(2)}${typeHashOf(tag).slice(2)}`, 'hex'))
}
