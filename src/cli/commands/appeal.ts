import { formatLily } from '../../wire/amount.ts'
import { EXIT } from '../exit-codes.ts'
import { requireNode } from '../node-client.ts'
import type { CommandRun } from './context.ts'

/** `lilynode appeal DEAL`. */
export const runAppeal: CommandRun = async ({ args, flags, output, root }) => {
  const appeal = await (await requireNode({ root, flags })).appeal(args[0] ?? '')
  output.result(appeal, () => [
    `appealed   ${appeal.dealId}`, `stake      ${formatLily(appeal.stake)} LILY, lost unless the judge rules otherwise`, `judge      ${appeal.judge}, until ${new Date(appeal.judgeBy * 1000).toISOString()}`,
    `by vote    propose a call of the Court ${appeal.court} with one of these:`, ...Object.entries(appeal.judgements).map(([outcome, data]) => `  ${outcome.padEnd(12)} ${data}`),
    `sent       ${appeal.transaction.hash} (gas ${appeal.transaction.gas})`
  ].join('\n'))
  return EXIT.ok
}
