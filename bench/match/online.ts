import type { Machine, Task } from './rows.ts'

/** Scores a placement; the smallest is taken. `after`: what the machine has free then. */
type Cost = (before: Room, after: Room) => number
/** Free thousandths of a core, MiB and thousandths of each GPU. */
interface Room { readonly machine: Machine, readonly cpu: number, readonly memory: number, readonly gpus: readonly number[] }
interface Shape { readonly task: Task, readonly share: number }

/** The largest machine of the trace, by which BestFit measures. */
const MOST_CPU = 128_000
const MOST_GPU = 8000

/**
 * Schedulers that see one task after the other and place it for good or not at all, as re-implemented by us after Weng et al., "Beware of Fragmentation", USENIX ATC'23,
 * and hkust-adsl/kubernetes-scheduler-simulator. Thousandths of GPUs that are given out in the end.
 */
export function onlineAllocation (rule: 'BestFit' | 'FGD', machines: readonly Machine[], tasks: readonly Task[]): number {
  const { shapes, shapeOf } = shapesOf(tasks)
  const cost = rule === 'BestFit' ? leftOver : fragmentation(shapes)
  const rooms = machines.map((machine): Room => ({ machine, cpu: machine.cpuMilli, memory: machine.memoryMiB, gpus: new Array<number>(machine.gpus).fill(1000) }))
  /** Per shape and machine what its best placement there costs, found when it is asked for; NaN: not yet, or the machine changed. */
  const known = shapes.map(() => new Float64Array(rooms.length).fill(Number.NaN))
  let allocated = 0
  for (const shape of shapeOf) {
    const costs = known[shape] as Float64Array
    const { task } = shapes[shape] as Shape
    let best = -1
    for (let at = 0; at < rooms.length; at++) {
      if (Number.isNaN(costs[at] as number)) costs[at] = placements(rooms[at] as Room, task).reduce((least, after) => Math.min(least, cost(rooms[at] as Room, after)), Number.POSITIVE_INFINITY)
      if ((costs[at] as number) < (best < 0 ? Number.POSITIVE_INFINITY : costs[best] as number)) best = at
    }
    if (best < 0) continue
    const before = rooms[best] as Room
    rooms[best] = placements(before, task).reduce((least, after) => cost(before, after) < cost(before, least) ? after : least)
    for (const column of known) column[best] = Number.NaN
    allocated += task.gpus * task.gpuMilli
  }
  return allocated
}

function shapesOf (tasks: readonly Task[]): { shapes: Shape[], shapeOf: number[] } {
  const places = new Map<string, number>()
  const counted: Array<{ task: Task, count: number }> = []
  const shapeOf = tasks.map((task) => {
    // What it asks for, not when it comes: a trace has some 150 shapes.
    const { span: _, ...shape } = task
    const key = JSON.stringify(shape)
    const place = places.get(key) ?? counted.push({ task, count: 0 }) - 1
    places.set(key, place)
    ;(counted[place] as { count: number }).count++
    return place
  })
  return { shapes: counted.map(({ task, count }) => ({ task, share: count / tasks.length })), shapeOf }
}

/** What the machine has free after the task, for each way to place it: a part of a GPU on any that has it, whole GPUs on the first that are free. */
function placements (room: Room, { cpuMilli, memoryMiB, gpus, gpuMilli, models }: Task): Room[] {
  if (cpuMilli > room.cpu || memoryMiB > room.memory || (gpus > 0 && models.length > 0 && !models.includes(room.machine.model))) return []
  const rest = (free: readonly number[]): Room => ({ machine: room.machine, cpu: room.cpu - cpuMilli, memory: room.memory - memoryMiB, gpus: free })
  const places = [...room.gpus.keys()].filter((at) => (room.gpus[at] as number) >= gpuMilli)
  if (places.length < gpus) return []
  const taken = (chosen: readonly number[]): Room => rest(room.gpus.map((free, at) => chosen.includes(at) ? free - gpuMilli : free))
  // GPUs with the same free part are one choice.
  const different = places.filter((at, index) => places.findIndex((other) => room.gpus[other] === room.gpus[at]) === index)
  return gpus === 1 && gpuMilli < 1000 ? different.map((at) => taken([at])) : [taken(places.slice(0, gpus))]
}

const sum = (free: readonly number[]): number => free.reduce((total, part) => total + part, 0)

/** BestFit: least left over; of a machine's GPUs the one with least. */
const leftOver: Cost = ({ gpus }, after) => after.cpu / MOST_CPU + sum(after.gpus) / MOST_GPU + 1e-6 * after.gpus.reduce((least, free, at) => free === gpus[at] ? least : Math.min(least, free), 1000) / 1000

/** FGD: least growth of the GPU parts that a task drawn from all tasks could not use. */
function fragmentation (shapes: readonly Shape[]): Cost {
  const withGpu = shapes.filter(({ task }) => task.gpus > 0)
  const known = new WeakMap<Room, number>()
  const of = (room: Room): number => {
    let total = known.get(room)
    if (total !== undefined) return total
    total = 0
    const all = sum(room.gpus)
    for (const { task: { cpuMilli, memoryMiB, gpus, gpuMilli, models }, share } of all === 0 ? [] : withGpu) {
      let usable = 0
      if (cpuMilli <= room.cpu && memoryMiB <= room.memory && (models.length === 0 || models.includes(room.machine.model))) {
        let count = 0
        for (const free of room.gpus) {
          if (free < gpuMilli) continue
          usable += free
          count++
        }
        if (count < gpus) usable = 0
      }
      total += share * (all - usable)
    }
    known.set(room, total)
    return total
  }
  return (before, after) => of(after) - of(before)
}
