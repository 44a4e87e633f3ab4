//! `bspm schema`: the JSON schema of a filter and its settings, made from the tables of settings.

use std::io::Write as _;

use bspm::filters::{Mix, Search, SettingInfo, SettingKind};
use bspm::{BspmConfig, FilterConfig, Preset, Solver};
use serde_json::{Map, Value, json};

use super::Outcome;

pub(crate) fn run() -> Outcome {
    std::io::stdout().write_all(text().as_bytes())?;
    Ok(())
}

/// Returns the schema as text, with a line break at its end.
pub(crate) fn text() -> String {
    format!("{:#}\n", schema())
}

/// Returns the schema of the files that `--config` reads.
fn schema() -> Value {
    let mut definitions = Map::new();
    for &name in FilterConfig::NAMES {
        definitions.insert(name.into(), of_filter(name));
    }
    definitions.insert("filter".into(), any_filter(|_| true));
    definitions.insert("integration".into(), integration());
    definitions.insert("solver".into(), solver());
    let config = json!([{ "$ref": "#/$defs/filter" }, { "$ref": "#/$defs/bspm" }]);
    let line = json!({
        "description": "A line of sweep --json, tune --json or inspect --json",
        "type": "object",
        "required": ["config"],
        "properties": { "config": { "anyOf": config } },
    });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A filter of bspm and its settings",
        "description": "A filter under its name, the settings of BSPM without a name, or a line of JSON output",
        "anyOf": [config[0], config[1], line],
        "$defs": definitions,
    })
}

/// A filter under its name, one of the names that are kept.
fn any_filter(keep: impl Fn(&str) -> bool) -> Value {
    let names = FilterConfig::NAMES.iter().filter(|name| keep(name));
    let properties = names.map(|name| {
        let definition = format!("#/$defs/{name}");
        ((*name).to_string(), json!({ "$ref": definition }))
    });
    json!({
        "type": "object",
        "properties": properties.collect::<Map<_, _>>(),
        "additionalProperties": false,
        "minProperties": 1,
        "maxProperties": 1,
    })
}

/// The settings of a filter.
fn of_filter(name: &str) -> Value {
    let config = match name {
        // With all processes and all keys.
        "bspm" => FilterConfig::from(full_bspm()),
        name => FilterConfig::published(name, Preset::Gowalla).expect("the name of a filter"),
    };
    let settings = config.settings();
    let of = |name: &str| value(named(&settings, name));
    let properties = match name {
        "bspm" => json!({
            "blur": { "$ref": "#/$defs/integration" },
            "ideal_low_pass": or_null(object(&config, "/bspm/ideal_low_pass", json!({
                "factor_dim": of("factor_dim"),
                "beta": of("beta"),
                "integration": { "$ref": "#/$defs/integration" },
            }))),
            "sharpening": or_null(json!({ "$ref": "#/$defs/integration" })),
            "merge": of("merge"),
            "t_point_combination": {
                "description": named(&settings, "t_point_combination").doc,
                "type": "boolean",
            },
            "offset": of("offset"),
        }),
        "mix" => {
            let part = json!({
                "share": {
                    "description": "Factor of the filter",
                    "type": "number",
                    "minimum": number(Mix::SHARES.0),
                    "maximum": number(Mix::SHARES.1),
                },
                "filter": any_filter(|name| name != "mix"),
            });
            json!({ "parts": {
                "type": "array",
                "items": object(&config, "/mix/parts/0", part),
                "minItems": 1,
                "maxItems": Mix::MOST_PARTS,
            } })
        }
        "neighbours" => json!({
            "keep": of("keep"),
            "filter": any_filter(|name| !["neighbours", "popularity"].contains(&name)),
        }),
        _ => {
            let properties = settings.iter().map(|it| (it.name.to_string(), value(it)));
            Value::Object(properties.collect())
        }
    };
    object(&config, &format!("/{name}"), properties)
}

fn full_bspm() -> BspmConfig {
    let builder = BspmConfig::default().to_builder().offset(1.0);
    builder.build().expect("the offset is in its range")
}

fn named<'a>(settings: &'a [SettingInfo], name: &str) -> &'a SettingInfo {
    let mut settings = settings.iter();
    settings
        .find(|it| it.name == name)
        .expect("the name of a setting")
}

/// An object of a configuration with these properties. A key is required if the configuration cannot be
/// read without it. Otherwise the schema has the value that is read instead.
fn object(config: &FilterConfig, pointer: &str, mut properties: Value) -> Value {
    let whole = serde_json::to_value(config).expect("a configuration is JSON");
    let keys = properties.as_object().into_iter().flat_map(Map::keys);
    let keys: Vec<String> = keys.cloned().collect();
    let mut required = Vec::new();
    for key in &keys {
        let mut without = whole.clone();
        let object = without
            .pointer_mut(pointer)
            .and_then(Value::as_object_mut)
            .expect("an object of the configuration");
        object.remove(key).expect("a key of the configuration");
        match serde_json::from_value::<FilterConfig>(without) {
            Ok(read) => {
                let read = serde_json::to_value(read).expect("a configuration is JSON");
                if let Some(default) = read.pointer(&format!("{pointer}/{key}")) {
                    properties[key]["default"] = default.clone();
                }
            }
            Err(_) => required.push(key.clone()),
        }
    }
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn or_null(schema: Value) -> Value {
    json!({ "anyOf": [{ "type": "null" }, schema] })
}

/// The values of a setting.
fn value(setting: &SettingInfo) -> Value {
    let mut schema = json!({ "description": setting.doc });
    match (setting.kind, setting.search) {
        (SettingKind::Word, Search::Words(words)) => schema["enum"] = json!(words),
        (SettingKind::Word, _) => schema["type"] = "string".into(),
        (kind, _) => {
            schema["type"] = match kind {
                SettingKind::Count => "integer".into(),
                _ => "number".into(),
            };
            let (least, most) = setting.range;
            match least == f64::MIN_POSITIVE {
                true => schema["exclusiveMinimum"] = 0.into(),
                false => schema["minimum"] = number(least),
            }
            if most < f64::MAX {
                schema["maximum"] = number(most);
            }
        }
    }
    schema
}

/// A number, without a decimal point if it is whole.
fn number(value: f64) -> Value {
    match value.fract() == 0.0 && value.abs() < 1e15 {
        true => json!(value as i64),
        false => json!(value),
    }
}

fn integration() -> Value {
    let config = FilterConfig::from(full_bspm());
    let settings = config.settings();
    let of = |name: &str, description: &str| {
        let mut schema = value(named(&settings, name));
        schema["description"] = description.into();
        schema
    };
    let properties = json!({
        "solver": { "$ref": "#/$defs/solver" },
        "time": of("blur_time", "T: the time at which the process ends"),
        "steps": of("blur_steps", "K: the number of steps"),
    });
    object(&config, "/bspm/blur", properties)
}

fn solver() -> Value {
    let (least, most) = Solver::TOLERANCES;
    let tolerance = json!({ "type": "number", "minimum": number(least), "maximum": number(most) });
    let with_tolerance = |solver: Solver| {
        let settings = json!({
            "type": "object",
            "properties": { "tolerance": tolerance },
            "required": ["tolerance"],
            "additionalProperties": false,
        });
        json!({
            "type": "object",
            "properties": { solver.name(): settings },
            "required": [solver.name()],
            "additionalProperties": false,
        })
    };
    let tolerance = Solver::DEFAULT_TOLERANCE;
    json!({ "anyOf": [
        { "enum": [Solver::Euler.name(), Solver::Rk4.name()] },
        with_tolerance(Solver::DormandPrince { tolerance }),
        with_tolerance(Solver::Exact { tolerance }),
    ] })
}
