//! Compiles a kernel for several instruction sets and runs the best version.

/// An inner loop. `run` must be `#[inline(always)]`, so that it is compiled into,
/// and vectorised for, each instruction set.
pub(crate) trait Kernel {
    fn run(self);
}

/// The instruction sets that kernels are compiled for. Each one includes the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum InstructionSet {
    /// The instruction set that the program was compiled for.
    Portable,
    Avx2,
    /// AVX-512F.
    Avx512,
    /// AVX-512F, BW and VNNI.
    Avx512Vnni,
}

/// The instruction set that is used. A value exists only for instructions that the processor supports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cpu(InstructionSet);

impl Cpu {
    pub(crate) const PORTABLE: Self = Self(InstructionSet::Portable);

    /// Returns the best instruction set of this processor.
    pub(crate) fn detect() -> Self {
        use InstructionSet::{Avx2, Avx512, Avx512Vnni};
        let best = [Avx512Vnni, Avx512, Avx2].into_iter().find_map(Self::with);
        best.unwrap_or(Self::PORTABLE)
    }

    /// Returns this instruction set, or `None` if the processor does not support it.
    pub(crate) fn with(instructions: InstructionSet) -> Option<Self> {
        is_there(instructions).then_some(Self(instructions))
    }

    pub(crate) fn has(self, instructions: InstructionSet) -> bool {
        self.0 >= instructions
    }

    pub(crate) fn run(self, kernel: impl Kernel) {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx512 | InstructionSet::Avx512Vnni => {
                // SAFETY: the processor has AVX-512F.
                unsafe { run_avx512(kernel) }
            }
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx2 => {
                // SAFETY: the processor has AVX2.
                unsafe { run_avx2(kernel) }
            }
            _ => kernel.run(),
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn is_there(instructions: InstructionSet) -> bool {
    let avx2 = is_x86_feature_detected!("avx2");
    let avx512 = avx2 && is_x86_feature_detected!("avx512f");
    match instructions {
        InstructionSet::Portable => true,
        InstructionSet::Avx2 => avx2,
        InstructionSet::Avx512 => avx512,
        InstructionSet::Avx512Vnni => {
            avx512 && is_x86_feature_detected!("avx512bw") && is_x86_feature_detected!("avx512vnni")
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn is_there(instructions: InstructionSet) -> bool {
    instructions == InstructionSet::Portable
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn run_avx512(kernel: impl Kernel) {
    kernel.run();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn run_avx2(kernel: impl Kernel) {
    kernel.run();
}
