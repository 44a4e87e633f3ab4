//! Parses the values of a setting: lists, and ranges of numbers.

use std::str::FromStr;

use bspm::BspmConfig;
use bspm::filters::{Setting, SettingKind};

/// The maximum number of values of a range.
const MOST: f32 = 10_000.0;

/// Parses a list of values. If the setting is a number, a part of the list may be a range.
pub(super) fn read(setting: &Setting<BspmConfig>, text: &str) -> Result<Vec<String>, String> {
    let mut values = Vec::new();
    for part in text.split(',') {
        if setting.kind == SettingKind::Number && part.contains(':') {
            let numbers: Numbers = part.parse()?;
            values.extend(numbers.0.iter().map(f32::to_string));
        } else {
            values.push(part.trim().to_owned());
        }
    }
    Ok(values)
}

/// `0.5,1,2` or `0.5:2.5:0.25`, or both in one list.
#[derive(Clone, Debug, PartialEq)]
struct Numbers(Vec<f32>);

impl FromStr for Numbers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| -> Result<f32, String> {
            let number = text
                .trim()
                .parse()
                .map_err(|_| format!("expected a number, found {text:?}"))?;
            if f32::is_finite(number) {
                Ok(number)
            } else {
                Err(format!("expected a finite number, found {text:?}"))
            }
        };
        let mut numbers = Vec::new();
        for part in text.split(',') {
            match part.split(':').collect::<Vec<_>>()[..] {
                [single] => numbers.push(number(single)?),
                [start, end, step] => {
                    let (start, end, step) = (number(start)?, number(end)?, number(step)?);
                    // A hundredth of a step allows for the rounding of decimal fractions.
                    let steps = ((end - start) / step + 0.01).floor();
                    if !(step > 0.0 && (0.0..MOST).contains(&steps)) {
                        return Err(format!(
                            "expected START:END:STEP with START <= END, STEP > 0 and at most {MOST} \
                             values, found {part:?}"
                        ));
                    }
                    numbers.extend((0..=steps as usize).map(|place| {
                        let exact = f64::from(start) + place as f64 * f64::from(step);
                        (exact * 1e6).round() as f32 / 1e6
                    }));
                }
                _ => {
                    return Err(format!(
                        "expected a number or START:END:STEP, found {part:?}"
                    ));
                }
            }
        }
        Ok(Self(numbers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_ranges_are_read() {
        for (text, expected) in [
            ("1", &[1.0][..]),
            ("0.5,2", &[0.5, 2.0]),
            ("0.1:0.5:0.1", &[0.1, 0.2, 0.3, 0.4, 0.5]),
            ("0:1:0.4", &[0.0, 0.4, 0.8]),
            ("3,1:2:1", &[3.0, 1.0, 2.0]),
        ] {
            assert_eq!(text.parse(), Ok(Numbers(expected.to_vec())));
        }
        for text in [
            "", "x", "1:2", "1:2:0", "2:1:0.5", "1:2:-1", "nan", "0:1:1e-9",
        ] {
            assert!(text.parse::<Numbers>().is_err(), "{text}");
        }
    }
}
