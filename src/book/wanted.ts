import type { Hash } from '../wire/shapes.ts'

/** Ids that a session is to fetch, by the page, while its rounds still find more. */
export interface Wanted {
  add: (ids: Iterable<Hash>) => void
  /** The rounds find no more. */
  end: () => void
  /** A full page, or what is left when no more come; undefined when there is none now. */
  take: () => Hash[] | undefined
  readonly isEnded: boolean
  /** Resolves when another `take` is worth it. */
  more: () => Promise<void>
}

/** @param pageSize - ids in a full page. */
export function createWanted (pageSize: number): Wanted {
  const ids: Hash[] = []
  let at = 0
  let isEnded = false
  let change = Promise.withResolvers<undefined>()

  const tell = (): void => {
    change.resolve(undefined)
    change = Promise.withResolvers()
  }
  return {
    get isEnded () { return isEnded },
    add: (found) => {
      for (const id of found) ids.push(id)
      tell()
    },
    end: () => {
      isEnded = true
      tell()
    },
    take: () => {
      const left = ids.length - at
      if (left === 0 || (left < pageSize && !isEnded)) return undefined
      const page = ids.slice(at, at + pageSize)
      at += page.length
      return page
    },
    more: async () => { await change.promise }
  }
}
