import type { Address } from '../../wire/shapes.ts'

/** Numbers for names that occur again and again. */
export interface Names {
  /** The same for the same name, counting from 0. */
  numberOf: (name: string) => number
  /** 2^number; 0 when it is beyond what 31 bits hold. */
  bitOf: (name: string) => number
}

/** A name beyond so many has no bit. */
const BITS = 31

export function createNames (): Names {
  const numbers = new Map<string, number>()
  const numberOf = (name: string): number => {
    let found = numbers.get(name)
    if (found === undefined) {
      found = numbers.size
      numbers.set(name, found)
    }
    return found
  }
  return {
    numberOf,
    bitOf: (name) => {
      const number = numberOf(name)
      return number < BITS ? 1 << number : 0
    }
  }
}

/** The last 40 bits of an account: two that differ are two accounts; of two that are equal the records say whether they are one. */
export function accountNumber (account: Address): number {
  let number = 0
  for (let at = account.length - 10; at < account.length; at++) {
    const code = account.charCodeAt(at)
    number = number * 16 + (code & 15) + (code > 57 ? 9 : 0)
  }
  return number
}
