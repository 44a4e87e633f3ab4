//! The reference of the settings of all filters.

use std::fmt::Write as _;

use bspm::filters::SettingInfo;
use bspm::{FilterConfig, Preset};

use super::{MADE, escaped};

/// Returns the page of the guide: a table for each filter.
pub(super) fn page() -> String {
    let mut page = String::from(
        "The settings of every filter, with their ranges, defaults and presets.

`--set NAME=VALUE` changes a setting. The filter `bspm` also has a flag for each setting, with hyphens instead of
underscores. The default is the value if the filter is selected by name without a preset. The last column has the
values of the presets `gowalla`, `yelp2018` and `amazon-book`, in this order, or one value if they are equal. `off`
means that the process is off.

`bspm schema` prints the JSON schema of the files that `--config` reads. It is also the file `config.schema.json` in
this folder.
"
    );
    for name in FilterConfig::NAMES {
        let _ = write!(page, "\n# {name}\n\n{}", table(name));
    }
    let _ = writeln!(page, "\n{MADE}");
    page
}

/// Returns the table for the page of a filter in the documentation of the library.
pub(super) fn table_with_legend(name: &str) -> String {
    let table = table(name);
    match table.starts_with('|') {
        true => format!(
            "{table}\nThe presets are those of `gowalla`, `yelp2018` and `amazon-book`, in this order, or one value if \
             they are equal.\n"
        ),
        false => table,
    }
}

/// Returns the table of the settings of a filter.
fn table(name: &str) -> String {
    let of = |shape| FilterConfig::for_shape(name, shape).expect("the name of a filter");
    let (small, large) = (of((1, 1)).settings(), of((29_858, 40_981)).settings());
    let presets = Preset::ALL.map(|data| {
        let config = FilterConfig::published(name, data);
        config.expect("the name of a filter").settings()
    });
    if small.is_empty() {
        return "This filter has no settings.\n".into();
    }
    let mut table = String::from(
        "| setting | symbol | meaning | values | default | presets |\n\
         | --- | --- | --- | --- | --- | --- |\n",
    );
    for (place, setting) in small.iter().enumerate() {
        let default = match setting.value == large[place].value {
            true => shown(setting),
            false => "depends on the shape".into(),
        };
        let presets = presets.each_ref().map(|it| shown(&it[place]));
        let presets = match presets.iter().all(|it| *it == presets[0]) {
            true => &presets[..1],
            false => &presets[..],
        };
        let values = setting.values().unwrap_or_else(|| "see the meaning".into());
        let _ = writeln!(
            table,
            "| `{}` | {} | {} | {} | {default} | {} |",
            setting.name,
            symbol(setting),
            escaped(setting.doc),
            escaped(&values),
            presets.join("; ")
        );
    }
    table
}

fn shown(setting: &SettingInfo) -> String {
    setting.value.clone().unwrap_or_else(|| "off".into())
}

/// The Greek letters of the tables.
const GREEK: [&str; 9] = [
    "alpha", "beta", "gamma", "delta", "epsilon", "eta", "lambda", "mu", "phi",
];

/// Returns the symbol as a formula, if it is a letter with or without an index.
fn symbol(setting: &SettingInfo) -> String {
    let (letter, index) = setting.symbol.split_once('_').unzip();
    let letter = letter.unwrap_or(setting.symbol);
    let letter = match letter {
        letter if GREEK.contains(&letter) => format!(r"\{letter}"),
        letter if letter.len() == 1 => letter.into(),
        _ => return String::new(),
    };
    match index {
        Some(index) if index.len() > 1 => format!(r"`${letter}_{{\mathrm{{{index}}}}}$`"),
        Some(index) => format!("`${letter}_{index}$`"),
        None => format!("`${letter}$`"),
    }
}
