import { readFile } from 'node:fs/promises'
import { errorMessage } from '../core/errors.ts'
import { delegationDigest, delegationShape, type Delegation } from '../wire/delegation.ts'
import { parseShape, type Address } from '../wire/shapes.ts'
import { recoverSigner } from '../wire/signature.ts'
import type { Domain } from '../wire/typed-data.ts'
import { IdentityError } from './errors.ts'

/**
 * Reads the delegation that this node acts under, and checks it as every peer will: signed by its account, for this
 * operator and peer, in force. Throws IdentityError IDENTITY_DELEGATION.
 */
export async function loadDelegation (path: string, expected: { domain: Domain, operator: Address, peerId: string, nowSeconds: number }): Promise<Delegation> {
  const refuse = (message: string, data: Record<string, unknown> = {}): IdentityError => new IdentityError('IDENTITY_DELEGATION', `${path} ${message}`, { data: { path, ...data }, hint: 'Make another with "lilynode delegate" where the account\'s key is; "lilynode keys" shows what it must name.' })
  let delegation: Delegation
  try {
    delegation = parseShape(delegationShape, JSON.parse(await readFile(path, 'utf8')), 'delegation')
  } catch (error) {
    throw refuse(`is no delegation: ${errorMessage(error)}`)
  }
  const { domain, operator, peerId, nowSeconds } = expected
  if (delegation.operator !== operator) throw refuse(`is for operator ${delegation.operator}, this node is ${operator}`, { operator })
  if (delegation.peerId !== peerId) throw refuse(`is for peer ${delegation.peerId}, this node is ${peerId}`, { peerId })
  if (nowSeconds < delegation.notBefore || nowSeconds >= delegation.expiry) throw refuse(`is not in force: it runs from ${delegation.notBefore} to ${delegation.expiry}`, { notBefore: delegation.notBefore, expiry: delegation.expiry })
  if (!isSignedByAccount(domain, delegation)) throw refuse('is not signed by its account for this deployment', { account: delegation.account })
  return delegation
}

function isSignedByAccount (domain: Domain, delegation: Delegation): boolean {
  try {
    return recoverSigner(delegationDigest(domain, delegation), delegation.signature) === delegation.account
  } catch {
    return false
  }
}
