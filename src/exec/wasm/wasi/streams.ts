import { GuestStop } from './guest-stop.ts'

export type StreamName = 'stdout' | 'stderr'

/** Exit code of a run that was stopped over an output limit: 128 + SIGXFSZ. */
export const OUTPUT_LIMIT_EXIT_CODE = 153

/** Standard output and error, each with a cap. */
export interface Streams {
  /** Emits what fits. Throws GuestStop `output-limit` for the rest. */
  write: (stream: StreamName, bytes: Uint8Array) => void
  truncated: (stream: StreamName) => boolean
}

/** `emit` gets copies and is called before `write` returns, so that nothing is lost when the run is killed. */
export function createStreams (options: { caps: Readonly<Record<StreamName, number>>, emit: (stream: StreamName, bytes: Uint8Array) => void }): Streams {
  const left = { ...options.caps }
  const cut = { stdout: false, stderr: false }
  return {
    write: (stream, bytes) => {
      const kept = bytes.subarray(0, left[stream])
      left[stream] -= kept.length
      if (kept.length > 0) options.emit(stream, kept)
      if (kept.length === bytes.length) return
      cut[stream] = true
      throw new GuestStop('output-limit', OUTPUT_LIMIT_EXIT_CODE, `${stream} went over its limit of ${options.caps[stream]} bytes; the job was stopped and what it printed before is kept`)
    },
    truncated: (stream) => cut[stream]
  }
}
