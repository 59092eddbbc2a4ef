/** Numbers of few bits one after the other, highest bit first; the last byte is filled with zeros. */
export interface BitWriter { put: (value: number, bits: number) => void, bytes: () => Uint8Array }

export function createBitWriter (): BitWriter {
  const bytes: number[] = []
  let room = 0
  return {
    put: (value, bits) => {
      for (let left = bits; left > 0;) {
        if (room === 0) {
          bytes.push(0)
          room = 8
        }
        const some = Math.min(left, room)
        left -= some
        room -= some
        bytes[bytes.length - 1] = (bytes[bytes.length - 1] as number) | (((value >>> left) & (2 ** some - 1)) << room)
      }
    },
    bytes: () => Uint8Array.from(bytes)
  }
}

/** Reads what a writer wrote. `take` is undefined at the end; `isDone` when only zeros of the last byte are left. */
export interface BitReader { take: (bits: number) => number | undefined, isDone: () => boolean }

export function createBitReader (bytes: Uint8Array): BitReader {
  let at = 0
  const bit = (place: number): number => ((bytes[place >>> 3] as number) >>> (7 - (place & 7))) & 1
  return {
    take: (bits) => {
      if (at + bits > bytes.length * 8) return undefined
      let value = 0
      for (let left = bits; left > 0;) {
        const room = 8 - (at & 7)
        const some = Math.min(left, room)
        value = value * 2 ** some + (((bytes[at >>> 3] as number) >>> (room - some)) & (2 ** some - 1))
        at += some
        left -= some
      }
      return value
    },
    isDone: () => {
      if (bytes.length * 8 - at >= 8) return false
      for (let place = at; place < bytes.length * 8; place++) if (bit(place) === 1) return false
      return true
    }
  }
}
