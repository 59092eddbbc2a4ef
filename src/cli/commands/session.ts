import type { SessionView } from '../../api/facade.ts'
import { formatLily } from '../../wire/amount.ts'
import { CliError } from '../errors.ts'
import { EXIT } from '../exit-codes.ts'
import { requireNode } from '../node-client.ts'
import type { CommandRun } from './context.ts'

/** `lilynode session`, `session end`, `session renew`: the money that batches are paid from. */
export const runSession: CommandRun = async ({ args: [action], flags, output, root }) => {
  if (action !== undefined && action !== 'end' && action !== 'renew') throw new CliError('USAGE_CHOICE', `"${action}" is none of end, renew`, { data: { action }, hint: 'Without a word the session is shown.' })
  const client = await requireNode({ root, flags })
  const session = action === undefined ? await client.session() : await client.changeSession(action)
  output.result(session, () => text(session))
  return EXIT.ok
}

function text ({ funds, allowed, expiry, isEnded }: SessionView): string {
  const until = expiry === 0 ? 'never began' : `until ${new Date(expiry * 1000).toISOString().slice(0, 19)}Z`
  return [
    `funds    ${formatLily(funds)} LILY, of which batches may lock ${formatLily(allowed)} now`, `session  ${until}`,
    ...(isEnded ? ['It was ended: the node takes the funds back into free money when it is over, and opens every deal by itself. "lilynode session renew" takes that back.'] : [])
  ].join('\n')
}
