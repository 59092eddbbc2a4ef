/**
 * Hourly list prices in micro-USD, spot where one is known. Facts from public lists: GCP us-east1 by skypilot-catalog v1 (T4, P100, V100, A100, and cores and
 * memory from the e2 family's spot prices), AWS spot g5 and p3dn of December 2021 (A10G, V100 of 32 GiB). The trace's G2 and G3 are undisclosed codes: taking
 * them as A10G and A100 of 40 GiB is our assumption.
 */
export const GPU_HOUR: Readonly<Record<string, { price: number, vramMiB: number }>> = {
  T4: { price: 110_000, vramMiB: 16_384 },
  P100: { price: 430_000, vramMiB: 16_384 },
  V100M16: { price: 740_000, vramMiB: 16_384 },
  V100M32: { price: 1_170_000, vramMiB: 32_768 },
  G2: { price: 300_000, vramMiB: 24_576 },
  G3: { price: 880_000, vramMiB: 40_960 },
  A10: { price: 300_000, vramMiB: 24_576 }
}
export const CORE_HOUR = 6_543
export const GIB_HOUR = 877

/** nLILY for a micro-USD: a core-hour of list price costs the 3.6 LILY that the default rules call the reference. */
const NLILY = 550_000

/** Unit prices in nLILY: per thousandth of a core, MiB, GPU and second. */
export const LIST = {
  cpuMilliSecond: perSecond(CORE_HOUR, 1000),
  memoryMiBSecond: perSecond(GIB_HOUR, 1024),
  gpuSecond: Object.fromEntries(Object.entries(GPU_HOUR).map(([model, { price }]) => [model, perSecond(price, 1)])) as Readonly<Record<string, number>>
}

function perSecond (hour: number, parts: number): number {
  return Math.floor(hour * NLILY / 3600 / parts)
}
