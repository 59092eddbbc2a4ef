import type { WebSocket } from 'ws'
import { projectBook } from '../../book/projection.ts'
import type { BookReplica } from '../../book/replica.ts'
import type { Clock } from '../../core/clock.ts'
import type { Random } from '../../core/random.ts'
import type { AuctionView } from '../../roles/auction.ts'
import { VIEW_CLOSE } from '../../wire/view.ts'
import { projectAuctions } from './auctions.ts'
import { createViewDocument, type ViewDocument } from './document.ts'
import { updateMessage } from './messages.ts'
import type { ViewOptions } from './options.ts'
import { createReader, type Reader } from './reader.ts'

export interface ViewComponents {
  replica: Pick<BookReplica, 'book'>
  auction: Pick<AuctionView, 'currentEpoch' | 'decision' | 'onDecided'>
  clock: Clock
  random: Random
}

/** The rooms of the live view, one after the other: protocol/view.md. */
export interface Rooms {
  /** Makes a socket a reader of the room that it asks for, or tells it the present one and closes it. */
  join: (socket: WebSocket, wanted: string) => void
  stop: () => void
}

export function createRooms (components: ViewComponents, options: ViewOptions): Rooms {
  const { replica, auction, clock, random } = components
  const readers = new Set<Reader>()
  const newRoom = (): string => Buffer.from(random.bytes(8)).toString('hex')
  let room = newRoom()
  let document: ViewDocument | undefined
  let cancelLinger: (() => void) | undefined
  let cancelBeat: (() => void) | undefined

  const scheduleBeat = (): void => {
    cancelBeat = clock.after(options.beatMs, () => {
      for (const reader of readers) reader.beat()
      scheduleBeat()
    })
  }
  const letGo = (code: number, reason: string): void => {
    cancelLinger?.()
    cancelBeat?.()
    cancelBeat = undefined
    document?.close()
    document = undefined
    for (const reader of readers) reader.close(code, reason)
    readers.clear()
  }
  /** Ends the present room: its readers are told the next one and closed. */
  const roll = (): void => {
    room = newRoom()
    letGo(VIEW_CLOSE.rolled, room)
  }
  /** Made for the first reader: most nodes have none. */
  const open = (): ViewDocument => createViewDocument({
    clock,
    fill: (put) => {
      const leaves = [projectBook(replica.book, put), projectAuctions(auction, put, options.epochs)]
      return () => { for (const leave of leaves) leave() }
    },
    onUpdate: (update) => {
      if (readers.size === 0) return
      const message = updateMessage(update)
      for (const reader of readers) reader.send(message)
    },
    onWorn: roll
  }, options)

  return {
    stop: () => { letGo(VIEW_CLOSE.stopping, 'the node stops') },
    join: (socket, wanted) => {
      // ws closes by itself what breaks the WebSocket protocol; the error says no more than the close that follows.
      socket.on('error', () => undefined)
      if (wanted !== room) {
        socket.close(VIEW_CLOSE.rolled, room)
        return
      }
      cancelLinger?.()
      document ??= open()
      const reader = createReader({ socket, document, clock }, options)
      readers.add(reader)
      if (cancelBeat === undefined) scheduleBeat()
      socket.on('close', () => {
        // The readers of a room that was let go are not counted any more.
        if (!readers.delete(reader) || readers.size > 0) return
        cancelLinger = clock.after(options.lingerMs, roll)
      })
    }
  }
}
