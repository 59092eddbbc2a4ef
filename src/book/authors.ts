import type { RecordHead } from '../wire/record.ts'
import type { Entry } from './book.ts'
import { authorKey } from './register.ts'

/** Whose record it is. */
export type Author = Pick<RecordHead, 'account' | 'operator'>

/** What is held of each author, by slot: the registers of protocol/book.md. */
export interface Authors {
  get: (head: Author & { slot: number }) => Entry | undefined
  set: (entry: Entry) => void
  delete: (head: Author & { slot: number }) => void
  of: (author: Author) => Iterable<Entry>
}

export function createAuthors (): Authors {
  const slots = new Map<string, Map<number, Entry>>()
  /** Most authors sign for themselves; a name of two addresses is made and hashed anew for each look. */
  const nameOf = (author: Author): string => author.operator === author.account ? author.account : authorKey(author)

  return {
    get: (head) => slots.get(nameOf(head))?.get(head.slot),
    set: (entry) => {
      const name = nameOf(entry.record)
      const held = slots.get(name)
      if (held === undefined) slots.set(name, new Map([[entry.record.slot, entry]]))
      else held.set(entry.record.slot, entry)
    },
    delete: (head) => {
      const name = nameOf(head)
      const held = slots.get(name)
      held?.delete(head.slot)
      if (held?.size === 0) slots.delete(name)
    },
    of: (author) => slots.get(nameOf(author))?.values() ?? []
  }
}
