// The classic talking cow. Prints its arguments in a speech bubble, as cowsay(1) does without options.

/** Text columns inside the bubble. */
const WIDTH: i32 = 40
const DEFAULT_MESSAGE = "moo"

/** Characters, not UTF-16 units: the width of what is not ASCII is still a guess, as in the original. */
function lengthOf(text: string): i32 {
  let count = 0
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    if (unit < 0xdc00 || unit > 0xdfff) count++
  }
  return count
}

/** Index of the first unit after `count` characters. */
function unitsOf(text: string, count: i32): i32 {
  let index = 0
  for (let left = count; left > 0 && index < text.length; left--) {
    const unit = text.charCodeAt(index)
    index += unit >= 0xd800 && unit < 0xdc00 ? 2 : 1
  }
  return index
}

/** Words of one line of the message; blanks separate them, other control characters become blanks. */
function toWords(line: string): string[] {
  const words: string[] = []
  let word = ""
  for (let index = 0; index < line.length; index++) {
    const unit = line.charCodeAt(index)
    if (unit > 32 && unit !== 127) {
      word += line.charAt(index)
    } else if (word.length > 0) {
      words.push(word)
      word = ""
    }
  }
  if (word.length > 0) words.push(word)
  return words
}

/** Breaks a message at blanks so that no line is longer than WIDTH; longer words are cut. Line breaks of the message stay. */
function wrap(message: string): string[] {
  const lines: string[] = []
  const given = message.split("\n")
  for (let index = 0; index < given.length; index++) {
    const words = toWords(given[index])
    let line = ""
    for (let next = 0; next < words.length; next++) {
      let word = words[next]
      if (line.length > 0) {
        if (lengthOf(line) + 1 + lengthOf(word) <= WIDTH) {
          line += " " + word
          continue
        }
        lines.push(line)
      }
      while (lengthOf(word) > WIDTH) {
        const cut = unitsOf(word, WIDTH)
        lines.push(word.substring(0, cut))
        word = word.substring(cut)
      }
      line = word
    }
    if (line.length > 0 || words.length === 0) lines.push(line)
  }
  while (lines.length > 1 && lines[lines.length - 1].length === 0) lines.pop()
  return lines
}

/** The bubble: `< >` around one line, `/ \`, `| |`, `\ /` around several. */
function bubble(lines: string[]): string {
  let width = 0
  for (let index = 0; index < lines.length; index++) width = max(width, lengthOf(lines[index]))
  const last = lines.length - 1
  let out = " " + "_".repeat(width + 2) + "\n"
  for (let index = 0; index <= last; index++) {
    let left = "|"
    let right = "|"
    if (last === 0) {
      left = "<"
      right = ">"
    } else if (index === 0) {
      left = "/"
      right = "\\"
    } else if (index === last) {
      left = "\\"
      right = "/"
    }
    const line = lines[index]
    out += left + " " + line + " ".repeat(width - lengthOf(line)) + " " + right + "\n"
  }
  return out + " " + "-".repeat(width + 2) + "\n"
}

const COW = `        \\   ^__^
         \\  (oo)\\_______
            (__)\\       )\\/\\
                ||----w |
                ||     ||
`

const message = process.argv.slice(1).join(" ")
process.stdout.write(bubble(wrap(toWords(message).length > 0 ? message : DEFAULT_MESSAGE)) + COW)
