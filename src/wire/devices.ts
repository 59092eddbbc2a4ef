import { WireError } from './errors.ts'

/** Devices that an offer lists and a job asks for at most (protocol/job-offer.md, resource-offer.md). */
export const MAX_DEVICES = 64

/** Bytes that the devices of a match take: one up to a single device, else one and one for each. */
export function devicesSize (count: number): number {
  return count <= 1 ? 1 : 1 + count
}

/**
 * Appends a match's devices: 0 for none, device + 1 for one (1 to 64), 64 + n and n bytes for n >= 2 of them. Throws WireError WIRE_INVALID for an index
 * above 63 or one that occurs twice.
 */
export function encodeDevices (devices: readonly number[], into: number[]): void {
  assertDevices(devices)
  if (devices.length === 0) into.push(0)
  else if (devices.length === 1) into.push((devices[0] as number) + 1)
  else into.push(MAX_DEVICES + devices.length, ...devices)
}

/** Reads a match's devices at `at`. Throws WireError WIRE_INVALID for what `encodeDevices` does not write. */
export function decodeDevices (bytes: Uint8Array, at: number): { devices: number[], end: number } {
  const head = bytes[at] ?? -1
  if (head === 0) return { devices: [], end: at + 1 }
  if (head > 0 && head <= MAX_DEVICES) return { devices: [head - 1], end: at + 1 }
  const count = head - MAX_DEVICES
  const end = at + 1 + count
  if (count < 2 || count > MAX_DEVICES || end > bytes.length) throw new WireError('WIRE_INVALID', `the devices of a match start with ${head}`, { data: { at, head } })
  const devices = [...bytes.subarray(at + 1, end)]
  assertDevices(devices)
  return { devices, end }
}

function assertDevices (devices: readonly number[]): void {
  const isPlace = (device: number): boolean => Number.isInteger(device) && device >= 0 && device < MAX_DEVICES
  if (devices.length > MAX_DEVICES || !devices.every(isPlace) || new Set(devices).size < devices.length) throw new WireError('WIRE_INVALID', `devices of a match are not different places below ${MAX_DEVICES}: ${devices.join(', ')}`, { data: { devices: [...devices] } })
}
