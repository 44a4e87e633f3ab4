//! Parses the values of a setting: lists, and ranges of numbers.

use bspm::BspmConfig;
use bspm::filters::{Setting, SettingKind};

/// The maximum number of values of a range.
const MOST: f32 = 10_000.0;

/// Parses a list of values. If the setting is a number, a part of the list may be a range.
pub(super) fn read(setting: &Setting<BspmConfig>, text: &str) -> Result<Vec<String>, String> {
    let mut values = Vec::new();
    for part in text.split(',') {
        if setting.kind == SettingKind::Number && part.contains(':') {
            values.extend(range(part)?.iter().map(f32::to_string));
        } else {
            values.push(part.trim().to_owned());
        }
    }
    Ok(values)
}

/// Parses a range such as `0.5:2.5:0.25`.
fn range(part: &str) -> Result<Vec<f32>, String> {
    let expected = || {
        format!(
            "expected START:END:STEP with START <= END, STEP > 0 and at most {MOST} values, found {part:?}"
        )
    };
    let number = |text: &str| text.trim().parse().ok().filter(|it: &f32| it.is_finite());
    let numbers: Option<Vec<f32>> = part.split(':').map(number).collect();
    let Some([start, end, step]) = numbers.as_deref() else {
        return Err(expected());
    };
    // A hundredth of a step allows for the rounding of decimal fractions.
    let steps = ((end - start) / step + 0.01).floor();
    if !(*step > 0.0 && (0.0..MOST).contains(&steps)) {
        return Err(expected());
    }
    let values = (0..=steps as usize).map(|place| {
        let exact = f64::from(*start) + place as f64 * f64::from(*step);
        (exact * 1e6).round() as f32 / 1e6
    });
    Ok(values.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_include_their_end() {
        for (text, expected) in [
            ("0.1:0.5:0.1", &[0.1, 0.2, 0.3, 0.4, 0.5][..]),
            ("0:1:0.4", &[0.0, 0.4, 0.8]),
            ("1:2:1", &[1.0, 2.0]),
        ] {
            assert_eq!(range(text), Ok(expected.to_vec()));
        }
        for text in [
            "1:2",
            "1:2:0",
            "2:1:0.5",
            "1:2:-1",
            "0:1:1e-9",
            "0:x:1",
            "0:inf:1",
            "0:1:inf",
            "nan:1:1",
            "0:1:0.1:1",
        ] {
            assert!(range(text).is_err(), "{text}");
        }
    }
}
