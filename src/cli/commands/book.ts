import type { Doc, Map as YMap, YMapEvent } from 'yjs'
import type { RecordView } from '../../api/facade.ts'
import { formatLily } from '../../wire/amount.ts'
import { EXIT } from '../exit-codes.ts'
import { requireNode, type NodeClient } from '../node-client.ts'
import { formatTable, type Output } from '../output.ts'
import type { CommandRun } from './context.ts'

type Kind = 'module' | 'offer' | 'job'
type News = 'added' | 'changed' | 'removed'
const SIGNS: Record<News, string> = { added: '+', changed: '~', removed: '-' }
/** The maps of records of the live view (protocol/view.md), in the order in which they are shown. */
const MAPS: ReadonlyArray<readonly [map: 'modules' | 'offers' | 'jobs', kind: Kind]> = [['modules', 'module'], ['offers', 'offer'], ['jobs', 'job']]

/** `lilynode book [--follow]`. */
export const runBook: CommandRun = async ({ flags, output, root, signal }) => {
  const client = await requireNode({ root, flags })
  if (flags['follow'] === true) return await follow(client, output, signal)
  const book = await client.book()
  output.result(book, () => {
    const rows = MAPS.flatMap(([map, kind]) => book[map].map((record) => describe(kind, record)))
    return rows.length === 0 ? 'the book is empty' : formatTable([['KIND', 'RECORD', 'ACCOUNT', 'WHAT'], ...rows])
  })
  return EXIT.ok
}

/** Keeps a copy of the live view, as any Yjs binding would, and tells of each record that comes, changes or goes. */
async function follow (client: NodeClient, output: Output, signal: AbortSignal): Promise<never> {
  let known: Doc | undefined
  return await client.followView((copy) => {
    for (const [map, kind] of MAPS) {
      const records = copy.getMap<RecordView>(map)
      tellDifference(kind, known?.getMap<RecordView>(map), records, output)
      records.observe((event) => { tellEvent(kind, event, output) })
    }
    // A node makes its view anew now and then; that is no news.
    if (known === undefined) output.line({ event: 'ready', records: MAPS.reduce((sum, [map]) => sum + copy.getMap(map).size, 0) }, '-- following; Ctrl-C ends')
    known?.destroy()
    known = copy
  }, signal)
}

function tellDifference (kind: Kind, before: YMap<RecordView> | undefined, after: YMap<RecordView>, output: Output): void {
  before?.forEach((record, key) => { if (!after.has(key)) tell('removed', kind, record, output) })
  after.forEach((record, key) => {
    const old = before?.get(key)
    if (old === undefined) tell('added', kind, record, output)
    else if (old.id !== record.id) tell('changed', kind, record, output)
  })
}

function tellEvent (kind: Kind, event: YMapEvent<RecordView>, output: Output): void {
  for (const [key, { action, oldValue }] of event.changes.keys) {
    if (action === 'delete') tell('removed', kind, oldValue as RecordView, output)
    else tell(action === 'add' ? 'added' : 'changed', kind, event.target.get(key) as RecordView, output)
  }
}

function tell (event: News, kind: Kind, record: RecordView, output: Output): void {
  output.line({ event, kind, ...record }, [SIGNS[event], ...describe(kind, record)].join('  '))
}

function describe (kind: Kind, { id, account, body }: RecordView): string[] {
  const field = (name: string): unknown => (body as Record<string, unknown>)[name]
  const what = { module: () => `${String(field('name'))}:${String(field('tag'))}`, offer: () => `${String(field('unit'))} ${JSON.stringify(field('capacity'))}`, job: () => `${String(field('moduleName'))} limit ${formatLily(Number(field('limit')))} LILY` }
  return [kind, id.slice(0, 14), account, what[kind]()]
}
