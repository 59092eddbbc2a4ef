import { keccak256, stringToBytes } from 'viem'
import type { Hash } from '../wire/shapes.ts'
import type { Signer } from './signer.ts'

/** 32 bytes for one purpose, from the node's key by a signature that nobody else sees: nothing more to keep or to lose. */
export function secretOf (signer: Signer, purpose: string): Hash {
  return keccak256(signer.sign(keccak256(stringToBytes(`lilynode/${purpose}/1`))))
}
