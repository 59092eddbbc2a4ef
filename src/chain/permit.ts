import { concat, encodeAbiParameters, keccak256, parseAbiParameters } from 'viem'
import type { Signer } from '../identity/signer.ts'
import type { Address, Hash, Signature } from '../wire/shapes.ts'
import { typeHashOf } from '../wire/typed-data.ts'
import { fromAmount } from './amounts.ts'

/** An ERC-2612 permit: `spender` may take `amount` nLILY of the signer until `deadline` (unix seconds). */
export interface Permit { spender: Address, amount: number, nonce: bigint, deadline: number }

const PERMIT_TYPE_HASH = typeHashOf('Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)')
const PERMIT_FIELDS = parseAbiParameters('bytes32, address, address, uint256, uint256, uint256')

/** Signs a permit under the token's own EIP-712 domain separator. */
export function signPermit (signer: Signer, domainSeparator: Hash, permit: Permit): Signature {
  const struct = keccak256(encodeAbiParameters(PERMIT_FIELDS, [
    PERMIT_TYPE_HASH, signer.address, permit.spender, fromAmount(permit.amount), permit.nonce, fromAmount(permit.deadline)
  ]))
  return signer.sign(keccak256(concat(['0x1901', domainSeparator, struct])))
}
