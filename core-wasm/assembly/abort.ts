/** What AssemblyScript calls when a runtime check fails: a trap, which the façade's caller sees as `WebAssembly.RuntimeError`. */

/** Takes what the compiler passes (message, file, line, column) and shows none of it: strings would need the managed runtime. */
export function trap(_message: usize, _file: usize, _line: u32, _column: u32): void {
  unreachable();
}
