import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** One measured row: names and numbers. */
export type Row = Readonly<Record<string, string | number>>
/** Lines of a chart: points (x, y). */
export interface Chart { readonly title: string, readonly x: string, readonly y: string, readonly lines: ReadonlyArray<{ readonly name: string, readonly points: ReadonlyArray<readonly [number, number]> }> }

/** Writes NAME.csv, NAME.json and NAME.svg into the folder; nothing without one. */
export async function writeOutput (folder: string | undefined, name: string, rows: readonly Row[], chart: Chart): Promise<void> {
  if (folder === undefined) return
  await mkdir(folder, { recursive: true })
  const heads = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  await writeFile(join(folder, `${name}.csv`), `${[heads, ...rows.map((row) => heads.map((head) => row[head] ?? ''))].map((cells) => cells.join(',')).join('\n')}\n`)
  await writeFile(join(folder, `${name}.json`), `${JSON.stringify(rows, undefined, 2)}\n`)
  await writeFile(join(folder, `${name}.svg`), toSvg(chart))
}

const [WIDTH, HEIGHT, LEFT, BOTTOM] = [720, 420, 70, 50]
const COLOURS = ['#1b6ca8', '#c0392b', '#27884b', '#8e5bb5', '#b8860b', '#555555']

/** A chart of lines; x in powers of ten, y from the least to the largest value. */
function toSvg ({ title, x, y, lines }: Chart): string {
  const points = lines.flatMap((line) => line.points)
  const [low, high] = [Math.min(...points.map(([, value]) => value)), Math.max(...points.map(([, value]) => value))]
  const [first, last] = [Math.log10(Math.min(...points.map(([at]) => at))), Math.log10(Math.max(...points.map(([at]) => at)))]
  const toX = (at: number): number => LEFT + (Math.log10(at) - first) / Math.max(1e-9, last - first) * (WIDTH - LEFT - 20)
  const toY = (value: number): number => HEIGHT - BOTTOM - (value - low) / Math.max(1e-9, high - low) * (HEIGHT - BOTTOM - 40)
  const label = (left: number, top: number, text: string, anchor = 'start', colour = '#333'): string => `<text x="${left.toFixed(1)}" y="${top.toFixed(1)}" text-anchor="${anchor}" fill="${colour}">${text}</text>`
  const drawn = lines.flatMap(({ name, points: own }, at) => {
    const colour = COLOURS[at % COLOURS.length] as string
    return [`<polyline fill="none" stroke="${colour}" stroke-width="2" points="${own.map(([left, top]) => `${toX(left).toFixed(1)},${toY(top).toFixed(1)}`).join(' ')}"/>`, label(WIDTH - 20, 40 + at * 16, name, 'end', colour)]
  })
  const ticks = [...new Set(points.map(([at]) => at))].map((at) => label(toX(at), HEIGHT - BOTTOM + 18, String(at), 'middle'))
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="#fff"/>${label(LEFT, 20, title)}${label(WIDTH / 2, HEIGHT - 8, x, 'middle')}${label(8, 20, y)}${label(LEFT - 6, toY(low), low.toPrecision(4), 'end')}${label(LEFT - 6, toY(high), high.toPrecision(4), 'end')}${ticks.join('')}${drawn.join('')}</svg>\n`
}
