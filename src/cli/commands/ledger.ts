import type { Holdings, LedgerEntry, LedgerView } from '../../api/facade.ts'
import { formatLily } from '../../wire/amount.ts'
import { EXIT } from '../exit-codes.ts'
import { requireNode } from '../node-client.ts'
import { textFlag, type CommandRun } from './context.ts'

/** `lilynode ledger`: exits with 9 when the entries do not add up to what the chain holds. */
export const runLedger: CommandRun = async (context) => {
  const { flags, output, root } = context
  const wanted = textFlag(context, 'deal')
  const ledger = await (await requireNode({ root, flags })).ledger()
  const entries = ledger.entries.filter(({ deal, batch, deals = [] }) => wanted === undefined || [deal, batch, ...deals].some((id) => id?.startsWith(wanted)))
  output.result({ ...ledger, entries }, () => [...entries.map(line), ...(entries.length === 0 ? [] : ['']), ...totals(ledger)].join('\n'))
  return ledger.isEqual ? EXIT.ok : EXIT.checkFailed
}

function line (entry: LedgerEntry): string {
  const [name, id] = ([['deal', entry.deal], ['batch', entry.batch], ['with', entry.peer]] as const).find(([, known]) => known !== undefined) ?? ['', '']
  const where = `${name} ${(id ?? '').slice(0, 10)}`
  return `${new Date(entry.time * 1000).toISOString().slice(0, 19)}Z  ${entry.kind.padEnd(12)}  ${where.padEnd(16)}  ${changes(entry).padEnd(48)}  ${entry.transaction}`
}

function changes ({ free, locked, bond, unbonding, session, number }: LedgerEntry): string {
  const parts = [['free', free], ['locked', locked], ['bond', bond], ['unbonding', unbonding], [`session ${number ?? ''}`, session]] as const
  return parts.flatMap(([name, amount]) => amount === undefined ? [] : [`${name} ${amount > 0 ? '+' : ''}${formatLily(amount)}`]).join(', ')
}

function totals ({ account, upTo, sums, chain, isEqual }: LedgerView): string[] {
  return [
    `account  ${account}`, `sums     ${holdings(sums)}`,
    isEqual ? `chain    the same at block ${upTo}` : `chain    ${holdings(chain)} at block ${upTo}: the entries do not explain it (protocol/ledger.md says what they cannot know)`
  ]
}

function holdings ({ free, locked, bond, unbonding, sessions }: Holdings): string {
  return [
    `${formatLily(free)} free`, `${formatLily(locked)} locked`, `${formatLily(bond)} bonded`, `${formatLily(unbonding)} unbonding`,
    ...Object.entries(sessions).map(([number, funds]) => `${formatLily(funds)} in session ${number}`)
  ].join(', ')
}
