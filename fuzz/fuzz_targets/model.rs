//! The model file: any bytes give an error or a model that returns lists. Half of the inputs get a correct
//! checksum first, so that the code after the check of the checksum runs.
#![no_main]

use bspm::{CpuBackend, Error, Model};
use libfuzzer_sys::fuzz_target;
use twox_hash::XxHash3_128;

fuzz_target!(|bytes: &[u8]| {
    let mut bytes = bytes.to_vec();
    if bytes.last().is_some_and(|last| last % 2 == 0) && bytes.len() > 16 {
        let hashed = bytes.len() - 16;
        let hash = XxHash3_128::oneshot(&bytes[..hashed]).to_le_bytes();
        bytes[hashed..].copy_from_slice(&hash);
    }
    let Ok(model) = Model::<_, String, String>::from_bytes(CpuBackend::new(), bytes) else {
        return;
    };
    for user in model.dataset().users().iter().take(3) {
        match model.recommend(user, 3) {
            // A forged file may contain numbers for which scores are infinite.
            Ok(_)
            | Err(Error::InvalidParameter {
                parameter: "weight",
                ..
            }) => {}
            Err(error) => panic!("no list for a user of the model: {error}"),
        }
    }
});
