//! The kernels, each with every instruction set that it is compiled for. A test is reported as ignored if
//! the processor does not support the instruction set.

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

mod byte_products;
mod tile_product;
mod twins;

/// The sources of the kernels, which are private to the crate.
#[path = "../../src"]
#[allow(dead_code, unreachable_pub, unused_imports)]
mod source {
    pub(crate) mod error;
    pub(crate) mod kernel;
    pub(crate) mod matrix;
    pub(crate) mod quantized;
    pub(crate) mod sparse;
    pub(crate) mod threads;
}

use kernel::cpu::{Cpu, InstructionSet};
use source::{error, kernel, matrix, quantized, sparse, threads};

type Test = (&'static str, fn(Cpu), &'static [InstructionSet]);

/// Each kernel, and the instruction sets that it has code for.
const TESTS: &[Test] = {
    use InstructionSet::{Avx2, Avx512, Avx512Vnni, Portable};
    &[
        ("spmm", twins::spmm, &[Avx2, Avx512]),
        ("elementwise", twins::elementwise, &[Avx2, Avx512]),
        ("ranks_of_sums", twins::ranks_of_sums, &[Avx2, Avx512]),
        ("candidates", twins::candidates, &[Avx2, Avx512, Avx512Vnni]),
        ("scatter", twins::scatter, &[Avx2, Avx512]),
        ("row_dots", twins::row_dots, &[Portable, Avx2, Avx512]),
        ("top_k", twins::top_k, &[Avx2, Avx512]),
        (
            "byte_products",
            byte_products::are_exact,
            &[Portable, Avx512Vnni],
        ),
        ("tile_product", tile_product::is_fused_sums, &[Avx512]),
    ]
};

fn main() -> ExitCode {
    let trials = TESTS.iter().flat_map(|&(name, test, sets)| {
        sets.iter()
            .map(move |&instructions| trial(name, test, instructions))
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

fn trial(name: &str, test: fn(Cpu), instructions: InstructionSet) -> Trial {
    let cpu = Cpu::with(instructions);
    let run = move || {
        let lacking = || format!("the processor does not have {instructions:?}");
        test(cpu.ok_or_else(lacking)?);
        Ok(())
    };
    let set = format!("{instructions:?}").to_lowercase();
    Trial::test(format!("{set}::{name}"), run).with_ignored_flag(cpu.is_none())
}
