//! The behaviour of `--features cuda`, with and without a GPU.

mod program;
mod small_split;

use std::process::Command;

use bspm::TorchDevice;
use program::{error_text, example, run};
use small_split::small_split;

#[test]
fn libtorch_cuda_is_among_the_libraries_of_the_example() {
    let path = example("gowalla").get_program().to_owned();
    let output = Command::new("readelf")
        .arg("-d")
        .arg(path)
        .output()
        .unwrap();
    let sections = String::from_utf8(output.stdout).unwrap();
    let needed = sections
        .lines()
        .any(|line| line.contains("(NEEDED)") && line.contains("[libtorch_cuda.so]"));
    assert!(needed, "{sections}");
}

#[test]
fn without_a_gpu_the_cpu_backend_runs_and_the_reason_is_said() {
    let split = small_split();
    let mut command = example("gowalla");
    command.arg("--data").arg(split.path());
    let output = run(&mut command, ["--factor-dim", "2"]);
    assert!(output.status.success(), "{output:?}");
    let (text, errors) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    );
    match TorchDevice::Cuda(0).check() {
        Ok(()) => assert!(text.contains("backend             cuda"), "{text}"),
        Err(reason) => {
            assert!(text.contains("backend             cpu"), "{text}");
            let sentence = format!("CUDA is not available ({reason}); using the CPU instead");
            assert!(errors.contains(&sentence), "no {sentence:?} in\n{errors}");
        }
    }
}

#[test]
fn a_gpu_asked_for_by_name_that_cannot_be_had_is_an_error() {
    let split = small_split();
    let mut command = example("gowalla");
    command.arg("--data").arg(split.path());
    let error = error_text(&run(&mut command, ["--device", "cuda:4096"]));
    assert!(error.contains("no CUDA device 4096: "), "{error}");
}

#[test]
fn a_device_memory_too_small_for_a_tile_is_an_error_with_both_numbers() {
    let split = small_split();
    let mut command = example("gowalla");
    command.arg("--data").arg(split.path());
    let arguments = [
        "--no-idl",
        "--device",
        "torch-cpu",
        "--device-memory",
        "4000",
    ];
    let error = error_text(&run(&mut command, arguments));
    let expected =
        "a tile of 32 users needs 3072 bytes of memory, but the memory budget has 2000 bytes left";
    assert!(error.contains(expected), "{error}");
}
