import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { messageYjsSyncStep2, readSyncMessage, writeSyncStep1 } from 'y-protocols/sync'
import * as Y from 'yjs'
import { NO_ROOM, VIEW_CLOSE, VIEW_MESSAGE } from '../wire/view.ts'
import { CliError } from './errors.ts'

/**
 * Keeps a copy of a node's live view (protocol/view.md) and calls back with each that is whole: the first, and one after
 * each roll. Rejects with the signal's reason, or API_UNREACHABLE when the node goes away or cuts us off.
 */
export async function followView (api: { url: string, token: string, network?: string | undefined }, onCopy: (copy: Y.Doc) => void, signal: AbortSignal): Promise<never> {
  let room = NO_ROOM
  for (;;) room = await followRoom(`${api.url.replace(/^http/, 'ws')}/v1/view/${room}?token=${api.token}${api.network === undefined ? '' : `&network=${encodeURIComponent(api.network)}`}`, onCopy, signal)
}

/** Follows one room to its end; resolves to the next room's name. */
async function followRoom (url: string, onCopy: (copy: Y.Doc) => void, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted()
  const copy = new Y.Doc()
  const socket = new WebSocket(url)
  socket.binaryType = 'arraybuffer'
  const leave = (): void => { socket.close() }
  signal.addEventListener('abort', leave)
  socket.onopen = () => {
    socket.send(encoding.encode((encoder) => {
      encoding.writeVarUint(encoder, VIEW_MESSAGE.sync)
      writeSyncStep1(encoder, copy)
    }))
  }
  socket.onmessage = ({ data }) => {
    const decoder = decoding.createDecoder(new Uint8Array(data as ArrayBuffer))
    if (decoding.readVarUint(decoder) !== VIEW_MESSAGE.sync) return
    // The node never asks, so what would answer it stays empty.
    if (readSyncMessage(decoder, encoding.createEncoder(), copy, socket) === messageYjsSyncStep2) onCopy(copy)
  }
  try {
    const { code, reason } = await new Promise<{ code: number, reason: string }>((resolve) => { socket.onclose = resolve })
    signal.throwIfAborted()
    if (code === VIEW_CLOSE.rolled) return reason
    throw new CliError('API_UNREACHABLE', 'the node stopped, or closed the view', { data: { url: url.split('?')[0], code, reason }, hint: 'Look at node.log in its data folder.' })
  } finally {
    signal.removeEventListener('abort', leave)
  }
}
