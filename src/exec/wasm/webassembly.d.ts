/**
 * The part of the WebAssembly JavaScript interface that the sandbox uses. TypeScript has it only in its DOM library,
 * and neither our `lib` nor @types/node brings it.
 */
declare namespace WebAssembly {
  type ModuleImports = Record<string, (...values: never[]) => number>
  class CompileError extends Error {}
  class LinkError extends Error {}
  class Module {
    constructor (bytes: Uint8Array<ArrayBuffer>)
    static exports (module: Module): Array<{ name: string, kind: 'function' | 'table' | 'memory' | 'global' | 'tag' }>
  }
  class Memory {
    readonly buffer: ArrayBuffer
  }
  class Instance {
    readonly exports: Record<string, unknown>
    constructor (module: Module, imports: Record<string, ModuleImports>)
  }
}
