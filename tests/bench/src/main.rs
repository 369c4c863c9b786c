//! Lomme's side of the benchmarks: one measured job a process.

fn main() {}
