import type { SignedRecord } from '../wire/record.ts'
import { isBodyKind, readBody, type BodyKind } from './body.ts'
import type { Book, Change, Entry } from './book.ts'
import { registerKey } from './register.ts'

/** Sets a key of a map, or removes it when no value is given. The value is made when it is written, not before. */
export type Put = (map: string, key: string, value?: () => unknown) => void

const MAPS: Record<BodyKind, string> = { job: 'jobs', offer: 'offers', module: 'modules' }
const KINDS = Object.keys(MAPS) as BodyKind[]

/**
 * Puts the live records into the maps of the live view (protocol/view.md), then each change of them until the returned
 * function is called. Keys are registers, so a record that is renewed replaces its value.
 */
export function projectBook (book: Pick<Book, 'live' | 'onChange'>, put: Put): () => void {
  const show = ({ type, entry }: Change): void => {
    const { record } = entry
    if (!isBodyKind(record.kind)) return
    put(MAPS[record.kind], registerKey(record), type === 'added' ? () => toValue(entry) : undefined)
  }
  for (const kind of KINDS) {
    for (const entry of book.live(kind)) show({ type: 'added', entry })
  }
  return book.onChange(show)
}

/** Plain JSON: the signed head without signature, and the body as it was signed. */
function toValue ({ record, firstSeenMs }: Entry): Record<string, unknown> {
  const { id, account, operator, slot, seq } = record
  return { id, account, operator, slot, seq, firstSeenMs, body: readBody(record as SignedRecord & { readonly kind: BodyKind }) }
}
