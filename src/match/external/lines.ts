/** Cuts bytes into lines, within limits. */
export interface Lines {
  /** Takes bytes and returns the lines that they complete; undefined when a line or all of them are too long. */
  push: (chunk: Buffer) => string[] | undefined
}

export function createLines (limits: { maxLineBytes: number, maxBytes: number }): Lines {
  let total = 0
  let held = 0
  let parts: Buffer[] = []
  return {
    push: (chunk) => {
      total += chunk.length
      if (total > limits.maxBytes) return undefined
      const lines: string[] = []
      let from = 0
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
        if (held + at - from > limits.maxLineBytes) return undefined
        lines.push(Buffer.concat([...parts, chunk.subarray(from, at)]).toString('utf8'))
        parts = []
        held = 0
        from = at + 1
      }
      held += chunk.length - from
      if (held > limits.maxLineBytes) return undefined
      if (from < chunk.length) parts.push(chunk.subarray(from))
      return lines
    }
  }
}
