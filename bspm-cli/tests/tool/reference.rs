//! The files that are made from the flags and the tables of settings, and the JSON schema.

use std::fs;
use std::path::{Path, PathBuf};

use bspm::filters::{SettingInfo, SettingKind};
use bspm::{BspmConfig, FilterConfig, Preset, Solver};
use serde_json::{Value, json};

use crate::shop::{bspm, error, shop, stdout};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The names of the files of a folder, in order.
fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let names = entries.map(|it| it.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn the_reference_is_that_of_the_code() {
    let folder = tempfile::tempdir().unwrap();
    stdout(&bspm(folder.path(), &["reference", "made"]));
    let made = folder.path().join("made");
    for (part, stored) in [
        ("guide", "src/guide/reference"),
        ("filters", "bspm-core/src/filters/settings"),
    ] {
        let (part, stored) = (made.join(part), root().join(stored));
        assert_eq!(files(&part), files(&stored), "{}", stored.display());
        for name in files(&part) {
            let path = stored.join(&name);
            // Git may change line breaks on Windows.
            let read = |path: &Path| fs::read_to_string(path).unwrap().replace("\r\n", "\n");
            assert!(
                read(&part.join(&name)) == read(&path),
                "{}: differs from the code; hint: run scripts/write-reference",
                path.display()
            );
        }
    }
    let man = files(&made.join("man"));
    assert!(man.contains(&"bspm-recommend.1".into()), "{man:?}");
    let is_hidden = |name: &String| name.contains("reference");
    assert!(!man.iter().any(is_hidden), "{man:?}");
    let completions = files(&made.join("completions"));
    assert!(completions.contains(&"bspm.bash".into()), "{completions:?}");
}

/// A package contains only the files in its folder, so each crate with formulas has a copy.
#[test]
fn the_header_for_formulas_is_the_same_in_both_crates() {
    let read = |path: &str| fs::read(root().join(path)).unwrap();
    assert!(read("src/katex.html") == read("bspm-core/src/katex.html"));
}

fn schema() -> Value {
    let folder = tempfile::tempdir().unwrap();
    serde_json::from_str(&stdout(&bspm(folder.path(), &["schema"]))).unwrap()
}

/// Whether a value satisfies a schema. Panics for a keyword that is not known here.
fn is_valid(root: &Value, schema: &Value, value: &Value) -> bool {
    let matches_keyword = |(keyword, expected): (&String, &Value)| {
        let number = value.as_f64();
        let limit = expected.as_f64();
        let of_object = |is_met: &dyn Fn(&serde_json::Map<String, Value>) -> bool| {
            value.as_object().is_none_or(is_met)
        };
        let of_array = |is_met: &dyn Fn(&Vec<Value>) -> bool| value.as_array().is_none_or(is_met);
        match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" | "default" => true,
            "$ref" => {
                let name = expected.as_str().unwrap().trim_start_matches('#');
                is_valid(root, root.pointer(name).unwrap(), value)
            }
            "anyOf" => {
                let mut schemas = expected.as_array().unwrap().iter();
                schemas.any(|schema| is_valid(root, schema, value))
            }
            "type" => match expected.as_str().unwrap() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "boolean" => value.is_boolean(),
                "number" => value.is_number(),
                "integer" => value.is_u64(),
                "null" => value.is_null(),
                other => panic!("unknown type: {other}"),
            },
            "enum" => expected.as_array().unwrap().contains(value),
            "minimum" => number.is_none_or(|it| it >= limit.unwrap()),
            "maximum" => number.is_none_or(|it| it <= limit.unwrap()),
            "exclusiveMinimum" => number.is_none_or(|it| it > limit.unwrap()),
            "required" => of_object(&|object| {
                let mut names = expected.as_array().unwrap().iter();
                names.all(|name| object.contains_key(name.as_str().unwrap()))
            }),
            "properties" => of_object(&|object| {
                let mut properties = expected.as_object().unwrap().iter();
                properties.all(|(name, schema)| {
                    let value = object.get(name);
                    value.is_none_or(|value| is_valid(root, schema, value))
                })
            }),
            "additionalProperties" => of_object(&|object| {
                assert_eq!(expected, false);
                let known = schema["properties"].as_object().unwrap();
                object.keys().all(|name| known.contains_key(name))
            }),
            "minProperties" => of_object(&|it| it.len() as u64 >= expected.as_u64().unwrap()),
            "maxProperties" => of_object(&|it| it.len() as u64 <= expected.as_u64().unwrap()),
            "items" => of_array(&|it| it.iter().all(|value| is_valid(root, expected, value))),
            "minItems" => of_array(&|it| it.len() as u64 >= expected.as_u64().unwrap()),
            "maxItems" => of_array(&|it| it.len() as u64 <= expected.as_u64().unwrap()),
            other => panic!("unknown keyword: {other}"),
        }
    };
    schema.as_object().unwrap().iter().all(matches_keyword)
}

#[test]
fn the_schema_accepts_every_preset_and_default() {
    let schema = schema();
    let mut configs = Vec::new();
    for name in FilterConfig::NAMES {
        configs.push(FilterConfig::for_shape(name, (100, 100)).unwrap());
        for data in Preset::ALL {
            configs.push(FilterConfig::published(name, data).unwrap());
        }
    }
    let blur = BspmConfig::builder();
    configs.push(blur.clone().build().unwrap().into());
    let solver = Solver::Exact { tolerance: 1e-3 };
    let exact = blur.sharpen(solver, 2.0, 3).offset(2.5).build().unwrap();
    configs.push(exact.clone().into());
    for config in configs {
        let json = serde_json::to_value(&config).unwrap();
        assert!(is_valid(&schema, &schema, &json), "{json}");
        let line = json!({ "config": json, "ndcg": 0.1 });
        assert!(is_valid(&schema, &schema, &line), "{line}");
    }
    let without_name = serde_json::to_value(exact).unwrap();
    assert!(is_valid(&schema, &schema, &without_name), "{without_name}");
    for wrong in [
        json!({}),
        json!({ "als": {} }),
        json!({ "gf-cf": {} }),
        json!({ "gf-cf": { "factor_dim": 4.5, "alpha": 0.1 } }),
        json!({ "gf-cf": { "factor_dim": 4, "alpha": 0.1, "gamma": 1 } }),
        json!({ "popularity": {}, "gf-cf": { "factor_dim": 4, "alpha": 0.1 } }),
        json!({ "mix": { "parts": [] } }),
        json!({ "neighbours": { "keep": 5, "filter": { "popularity": {} } } }),
    ] {
        assert!(!is_valid(&schema, &schema, &wrong), "{wrong}");
        let parsed = serde_json::from_value::<FilterConfig>(wrong.clone());
        let checked = parsed.map(|config| config.check());
        assert!(!matches!(checked, Ok(Ok(()))), "{wrong}");
    }
}

/// The limits of the schema are those of the tool: both accept the limits, and both refuse the next values.
#[test]
fn the_schema_has_the_ranges_of_the_settings() {
    let schema = schema();
    let mut compared = 0;
    for name in FilterConfig::NAMES {
        let config = FilterConfig::published(name, Preset::Gowalla).unwrap();
        let json = serde_json::to_value(&config).unwrap();
        for setting in config.settings() {
            let pointer = format!("/{name}/{}", setting.name);
            // No singular vectors are only accepted if the low-pass part has no weight.
            let depends_on_others = setting.name == "factor_dim" && setting.range.0 == 0.0;
            if json.pointer(&pointer).is_none() || depends_on_others {
                continue;
            }
            for value in values_near_limits(&setting) {
                let mut changed = json.clone();
                *changed.pointer_mut(&pointer).unwrap() = value;
                let parsed = serde_json::from_value::<FilterConfig>(changed.clone());
                let is_accepted = parsed.is_ok_and(|config| config.check().is_ok());
                let expected = is_valid(&schema, &schema, &changed);
                assert_eq!(is_accepted, expected, "{changed}");
                compared += 1;
            }
        }
    }
    assert!(compared > 100, "{compared}");
}

fn values_near_limits(setting: &SettingInfo) -> Vec<Value> {
    let (least, most) = setting.range;
    match setting.kind {
        SettingKind::Count => {
            let (least, most) = (least as i64, (most < 1e15).then_some(most as i64));
            let mut values = vec![json!(least), json!(least - 1), json!(1.5), json!("1")];
            values.extend(most.map(|most| json!(most)));
            values.extend(most.map(|most| json!(most + 1)));
            values
        }
        SettingKind::Number if least == f64::MIN_POSITIVE => {
            vec![json!(0), json!(-1), json!(0.1), json!(null)]
        }
        SettingKind::Number => {
            let mut values = vec![json!(least), json!(least - 1e-3), json!(null)];
            if most < 1e30 {
                values.extend([json!(most), json!(most + 1e-3)]);
            }
            values
        }
        _ => vec![json!("no word"), json!(1)],
    }
}

#[test]
fn the_tool_reads_the_files_that_the_schema_describes() {
    let folder = shop();
    let config = |text: &str| fs::write(folder.path().join("config.json"), text).unwrap();
    let fit = [
        "fit",
        "ratings.csv",
        "-o",
        "x.bspm",
        "--config",
        "config.json",
    ];
    config(r#"{"item-knn": {"neighbours": 5, "shrinkage": 0.5}}"#);
    stdout(&bspm(folder.path(), &fit));
    config(r#"{"item-knn": {"neighbours": 0, "shrinkage": 0.5}}"#);
    let refused = error(&bspm(folder.path(), &fit));
    assert!(
        refused.contains("neighbours: expected at least 1"),
        "{refused}"
    );
}
