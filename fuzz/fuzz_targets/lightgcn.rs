//! The LightGCN loader: any bytes give pairs or an error. Pairs that are written and read again are the
//! same.
#![no_main]

use std::fmt::Write;

use bspm::data::parse_lightgcn;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let Ok(parsed) = parse_lightgcn(text, "fuzz") else {
        return;
    };
    let mut written = String::new();
    for (user, item) in &parsed.pairs {
        writeln!(written, "{user} {item}").unwrap();
    }
    if parsed.users > 0 {
        writeln!(written, "{}", parsed.users - 1).unwrap();
    }
    let again = parse_lightgcn(written.as_bytes(), "fuzz").unwrap();
    assert_eq!(again, parsed);
});
