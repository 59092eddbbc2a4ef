import type { TransactionView } from '../../api/facade.ts'
import type { ChannelView } from '../../api/vouchers.ts'
import { formatLily } from '../../wire/amount.ts'
import type { SignedVoucher } from '../../wire/voucher.ts'
import { parseLily } from '../amounts.ts'
import { CliError } from '../errors.ts'
import { EXIT } from '../exit-codes.ts'
import { requireNode, type NodeClient } from '../node-client.ts'
import { formatTable } from '../output.ts'
import { numberFlag, parseAddress, textFlag, type CommandContext, type CommandRun } from './context.ts'

const ACTIONS = ['open', 'pay', 'take', 'redeem', 'close', 'ls'] as const
type Action = typeof ACTIONS[number]
const MAX_HOURS = 24 * 3650

/** `lilynode voucher`: protocol/vouchers.md. */
export const runVoucher: CommandRun = async (context) => {
  const { args: [action] } = context
  if (!ACTIONS.includes(action as Action)) throw new CliError('USAGE_CHOICE', `"${action ?? ''}" is none of ${ACTIONS.join(', ')}`, { data: { action }, hint: 'See "lilynode voucher --help".' })
  // Arguments are read first: a mistake is told without a node.
  const act = actOf(action as Action, context)
  await act(await requireNode(context))
  return EXIT.ok
}

function actOf (action: Action, context: CommandContext): (client: NodeClient) => Promise<void> {
  const { args: [, first = '', second = ''], output } = context
  const lineOf = ({ name, hash, gas }: TransactionView): string => `${name}: ${hash} (gas ${gas})`
  const shown = (transactions: TransactionView[]): void => { output.result(transactions, transactions.map(lineOf).join('\n')) }
  switch (action) {
    case 'open': {
      const body = {
        payee: parseAddress(first), amount: amountOf(second),
        seconds: 3600 * numberFlag(context, 'hours', { min: 1, max: MAX_HOURS, fallback: 24 }), closeSeconds: 60 * numberFlag(context, 'closeMinutes', { min: 10, max: 43_200, fallback: 60 })
      }
      return async (client) => {
        const opened = await client.voucher<TransactionView>('open', body)
        output.result(opened, lineOf(opened))
      }
    }
    case 'pay': {
      const body = { payee: parseAddress(first), amount: amountOf(second) }
      return async (client) => {
        const voucher = await client.voucher<SignedVoucher>('pay', body)
        output.result(voucher, JSON.stringify(voucher))
      }
    }
    case 'take': {
      const body = voucherOf(first)
      return async (client) => {
        const taken = await client.voucher<{ payer: string, added: number, total: number, left: number }>('take', body)
        output.result(taken, `${formatLily(taken.added)} LILY more of ${taken.payer}, ${formatLily(taken.total)} in all; ${formatLily(taken.left)} are left in the channel`)
      }
    }
    case 'redeem': {
      const body = first === '' ? {} : { payer: parseAddress(first) }
      return async (client) => { shown(await client.voucher('redeem', body)) }
    }
    case 'close': {
      const [peer, as] = [parseAddress(first), textFlag(context, 'as')]
      return async (client) => { shown(await client.voucher('close', { peer, as: as ?? sideOf(await client.vouchers(), peer) })) }
    }
    case 'ls':
      return async (client) => {
        const channels = await client.vouchers()
        output.result(channels, () => channels.length === 0 ? 'no channels' : formatTable([['side', 'with', 'reserved', 'signed', 'paid', 'until'], ...channels.map(row)]))
      }
  }
}

function row ({ as, peer, reserved, signed, paid, until, isClosing }: ChannelView): string[] {
  const end = until === 0 ? 'closed' : `${new Date(until * 1000).toISOString().slice(0, 19)}Z${isClosing ? ' (closing)' : ''}`
  return [as, peer, formatLily(reserved), formatLily(signed), formatLily(paid), end]
}

function sideOf (channels: readonly ChannelView[], peer: string): 'payer' | 'payee' {
  const sides = channels.filter((channel) => channel.peer === peer && channel.until !== 0).map(({ as }) => as)
  if (sides.length === 2) throw new CliError('USAGE_CHOICE', `there is a channel with ${peer} in both directions`, { data: { peer }, hint: 'Say --as payer or --as payee.' })
  return sides[0] ?? 'payer'
}

function amountOf (text: string): number {
  const amount = parseLily(text)
  if (amount === 0) throw new CliError('USAGE_AMOUNT', 'the amount is 0', { data: { amount: text }, hint: 'Write LILY with at most nine decimals, like 0.02.' })
  return amount
}

function voucherOf (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new CliError('USAGE_VOUCHER', 'the voucher is no JSON', { cause: error, hint: 'Give it in one piece, in quotes, as "lilynode voucher pay" printed it.' })
  }
}
