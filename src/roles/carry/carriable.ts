import { decodeFunctionData, size, type Hex } from 'viem'
import { ABIS, type ContractName } from '../../chain/abis.ts'
import { toAmount } from '../../chain/amounts.ts'
import type { ContractCall } from '../../chain/chain.ts'
import type { Address } from '../../wire/shapes.ts'
import { RoleError } from '../errors.ts'

/** Whom a call is for, and what it brings into that account's Vault, nLILY. */
export interface Errand { account: Address, deposits: number }

/** What r, s and v take; ERC-1271 accounts may take more. */
const LEAST_SIGNATURE = 65
/** Vouchers in one call: what one call of an account may cost a carrier is bounded. */
const MOST_REDEMPTIONS = 16
type Core = { creator: string }

/** protocol/carry.md, the table: calls that do the same whoever sends them. Throws RoleError CARRY_REFUSED for all others. */
export function errandOf (contract: ContractName, data: Hex): Errand {
  const { functionName, args } = decoded(contract, data)
  const at = <T>(place: number): T => args[place] as T
  const of = (account: string, deposits = 0): Errand => ({ account: account.toLowerCase() as Address, deposits })
  switch (`${contract}.${functionName}`) {
    case 'vault.depositFor': return of(at(0), toAmount(at(1)))
    case 'vault.order': case 'vault.authorise':
      assertSigned(at(1), functionName)
      return of(at<{ account: string }>(0).account)
    case 'vault.revoke':
      assertSigned(at(2), functionName)
      return of(at(0))
    case 'court.enlist':
      assertSigned(at(3), functionName)
      return of(at(0))
    case 'vouchers.reserve':
      assertSigned(at(1), functionName)
      return of(at<{ payer: string }>(0).payer)
    case 'vouchers.startClose':
      assertSigned(at(3), functionName)
      return of(at(0))
    case 'vouchers.close':
      assertSigned(at(3), functionName)
      return of(at(1))
    case 'vouchers.redeem': return of(at<{ payee: string }>(0).payee)
    case 'vouchers.multicall': return redemptions(at(0))
    case 'market.nullify': return of(at(0))
    case 'court.challengeLeaf': return of(at<Core>(1).creator)
    case 'market.submit': case 'market.settle': case 'market.refund': case 'market.timeoutSubmit': case 'market.finalize':
    case 'court.challenge': case 'court.reveal': case 'court.verdict': case 'court.rule': case 'court.settle':
    case 'court.timeoutReveal': case 'court.timeoutVerdict': case 'court.appeal': case 'court.conclude':
      return of(at<Core>(0).creator)
    default: throw refused(`${contract}.${functionName} is not carried: it is its sender's own`, { contract, functionName })
  }
}

/** Whether a creator's node may leave it to solvers whether the call is sent now or half a minute later: what an account does with its money in the Vault. */
export function canWait ({ contract, functionName }: Pick<ContractCall, 'contract' | 'functionName'>): boolean {
  return contract === 'vault' && ['order', 'authorise', 'revoke'].includes(functionName)
}

/** Several vouchers of one payee: what else `multicall` could hold would be ours, or is no errand of one account. */
function redemptions (calls: readonly Hex[]): Errand {
  const payees = calls.map((data) => {
    const { functionName, args } = decoded('vouchers', data)
    if (functionName !== 'redeem') throw refused(`${functionName} is not carried together with others`, { contract: 'vouchers', functionName })
    return (args[0] as { payee: string }).payee.toLowerCase() as Address
  })
  const [account] = payees
  if (account === undefined || payees.length > MOST_REDEMPTIONS || payees.some((payee) => payee !== account)) throw refused(`1 to ${MOST_REDEMPTIONS} vouchers of one payee are carried together`, { contract: 'vouchers', vouchers: payees.length })
  return { account, deposits: 0 }
}

/** The contract takes an empty signature for its sender's word: sent by us it would be ours. */
function assertSigned (signature: Hex, functionName: string): void {
  if (size(signature) < LEAST_SIGNATURE) throw refused(`${functionName} has no signature of its account`, { functionName, bytes: size(signature) })
}

function decoded (contract: ContractName, data: Hex): { functionName: string, args: readonly unknown[] } {
  try {
    const { functionName, args } = decodeFunctionData({ abi: ABIS[contract], data })
    return { functionName, args: (args ?? []) as readonly unknown[] }
  } catch (error) {
    throw refused(`the data is no call of ${contract}`, { contract }, error)
  }
}

function refused (message: string, data: Record<string, unknown>, cause?: unknown): RoleError {
  return new RoleError('CARRY_REFUSED', message, { data, cause, hint: 'protocol/carry.md lists the calls that others send.' })
}
