import type * as Yjs from 'yjs'
import type { RecordView } from '../../api/facade.ts'
import { formatLily } from '../../wire/amount.ts'
import { CliError } from '../errors.ts'
import { EXIT } from '../exit-codes.ts'
import { requireNode, type NodeClient } from '../node-client.ts'
import { formatTable, type Output } from '../output.ts'
import type { CommandRun } from './context.ts'

type Kind = 'module' | 'offer' | 'job'
/** A value of the view's maps; its key is the record's id. */
type Shown = Omit<RecordView, 'id'>
/** The maps of the Yjs view (protocol/book.md), in the order in which they are shown. */
const MAPS: ReadonlyArray<readonly [map: 'modules' | 'offers' | 'jobs', kind: Kind]> = [['modules', 'module'], ['offers', 'offer'], ['jobs', 'job']]

/** `lilynode book [--follow]`. */
export const runBook: CommandRun = async ({ flags, output, root, signal }) => {
  const client = await requireNode(root)
  if (flags['follow'] === true) return await follow(client, output, signal)
  const book = await client.book()
  output.result(book, () => {
    const rows = MAPS.flatMap(([map, kind]) => book[map].map((record) => describe(kind, record.id, record)))
    return rows.length === 0 ? 'the book is empty' : formatTable([['KIND', 'RECORD', 'ACCOUNT', 'WHAT'], ...rows])
  })
  return EXIT.ok
}

/** Keeps a copy of the node's Yjs view, as any Yjs binding would, and tells of each record that comes or goes. */
async function follow (client: NodeClient, output: Output, signal: AbortSignal): Promise<never> {
  const yjs = await import('yjs')
  let view: Yjs.Doc | undefined
  for await (const { update, isNew } of client.bookUpdates(signal)) {
    const bytes = new Uint8Array(Buffer.from(update, 'base64'))
    if (view !== undefined && !isNew) {
      yjs.applyUpdate(view, bytes)
      continue
    }
    const known = view
    view = new yjs.Doc()
    yjs.applyUpdate(view, bytes)
    for (const [map, kind] of MAPS) {
      tellDifference(kind, known?.getMap<Shown>(map), view.getMap<Shown>(map), output)
      view.getMap<Shown>(map).observe((event) => { tellEvent(kind, event, output) })
    }
    // A node makes its view anew now and then; that is no news.
    if (known === undefined) output.line({ event: 'ready', records: MAPS.reduce((sum, [map]) => sum + (view?.getMap(map).size ?? 0), 0) }, '-- following; Ctrl-C ends')
    known?.destroy()
  }
  throw new CliError('API_UNREACHABLE', 'the node stopped', { data: { url: client.url }, hint: 'Look at node.log in its data folder.' })
}

function tellDifference (kind: Kind, before: Yjs.Map<Shown> | undefined, after: Yjs.Map<Shown>, output: Output): void {
  before?.forEach((record, id) => { if (!after.has(id)) tell('removed', kind, id, record, output) })
  after.forEach((record, id) => { if (before?.has(id) !== true) tell('added', kind, id, record, output) })
}

function tellEvent (kind: Kind, event: Yjs.YMapEvent<Shown>, output: Output): void {
  for (const [id, { action, oldValue }] of event.changes.keys) {
    // A record never changes: another one takes its place under its own id.
    if (action === 'delete') tell('removed', kind, id, oldValue as Shown, output)
    else tell('added', kind, id, event.target.get(id) as Shown, output)
  }
}

function tell (event: 'added' | 'removed', kind: Kind, id: string, record: Shown, output: Output): void {
  output.line({ event, kind, id, ...record }, [event === 'added' ? '+' : '-', ...describe(kind, id, record)].join('  '))
}

function describe (kind: Kind, id: string, { account, body }: Pick<Shown, 'account' | 'body'>): string[] {
  const field = (name: string): unknown => (body as Record<string, unknown>)[name]
  const what = { module: () => `${String(field('name'))}:${String(field('tag'))}`, offer: () => `${String(field('unit'))} ${JSON.stringify(field('capacity'))}`, job: () => `${String(field('moduleName'))} limit ${formatLily(Number(field('limit')))} LILY` }
  return [kind, id.slice(0, 14), account, what[kind]()]
}
