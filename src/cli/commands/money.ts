import { formatLily } from '../../wire/amount.ts'
import { parseLily } from '../amounts.ts'
import { CliError } from '../errors.ts'
import { EXIT } from '../exit-codes.ts'
import { requireNode } from '../node-client.ts'
import type { CommandRun } from './context.ts'

/** `lilynode balance`. */
export const runBalance: CommandRun = async ({ flags, output, root }) => {
  const balance = await (await requireNode({ root, flags })).balance()
  output.result(balance, () => [
    `account  ${balance.account}`, `wallet   ${formatLily(balance.token)} LILY, ${balance.wei} wei for gas`,
    `vault    ${formatLily(balance.free)} free, ${formatLily(balance.session)} for batches, ${formatLily(balance.locked)} locked in deals, ${formatLily(balance.bond)} bonded`
  ].join('\n'))
  return EXIT.ok
}

const move = (action: 'deposit' | 'withdraw' | 'stake'): CommandRun => async ({ args, flags, output, root }) => {
  const amount = parseLily(args[0] ?? '')
  if (amount === 0) throw new CliError('USAGE_AMOUNT', `there is nothing to ${action}: the amount is 0`, { data: { amount: args[0] }, hint: 'Write LILY with at most nine decimals, like 1.5.' })
  const transaction = await (await requireNode({ root, flags })).money(action, amount)
  output.result(transaction, `${action} of ${formatLily(amount)} LILY: ${transaction.hash} (gas ${transaction.gas})`)
  return EXIT.ok
}

/** `lilynode deposit AMOUNT`. */
export const runDeposit: CommandRun = move('deposit')
/** `lilynode withdraw AMOUNT`. */
export const runWithdraw: CommandRun = move('withdraw')
/** `lilynode stake AMOUNT`. */
export const runStake: CommandRun = move('stake')
