//! Loads the interactions.

use std::env;
use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bspm::Preset;
use bspm::data::{SyntheticShape, TrainTest};

use crate::arguments::Arguments;
use crate::download;

/// The interactions, their origin, and the time of loading them.
pub(crate) struct Dataset {
    pub(crate) split: TrainTest,
    pub(crate) origin: Origin,
    pub(crate) load_time: Duration,
}

/// The origin of the interactions: files, or a generator.
pub(crate) enum Origin {
    Files(PathBuf),
    Synthetic,
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Files(directory) => write!(formatter, "{}", directory.display()),
            Self::Synthetic => write!(
                formatter,
                "SYNTHETIC data of the same shape; not comparable with published results"
            ),
        }
    }
}

/// The counts of a complete copy of the data set.
pub(crate) fn shape(preset: Preset) -> SyntheticShape {
    match preset {
        Preset::Yelp2018 => SyntheticShape::YELP2018,
        Preset::AmazonBook => SyntheticShape::AMAZON_BOOK,
        _ => SyntheticShape::GOWALLA,
    }
}

pub(crate) fn load(preset: Preset, arguments: &Arguments) -> Result<Dataset, Box<dyn Error>> {
    if arguments.synthetic {
        return generate(preset);
    }
    if let Some(directory) = &arguments.data {
        return read(directory.clone());
    }
    let named = env::var_os("BSPM_DATA").map(|folder| PathBuf::from(folder).join(preset.name()));
    let cache = download::cache_folder().map(|folder| folder.join(preset.name()));
    for directory in [&named, &cache].into_iter().flatten() {
        if directory.join("train.txt").is_file() {
            return read(directory.clone());
        }
    }
    let failure: Box<dyn Error> = match &cache {
        Some(directory) => match download::download(preset.name(), shape(preset), directory) {
            Ok(()) => return read(directory.clone()),
            Err(error) => bspm::with_sources(&error).into(),
        },
        None => "found no cache folder; hint: set BSPM_CACHE to a folder".into(),
    };

    let ways = ways_to_real_data(preset, named.as_deref());
    if arguments.require_real {
        return Err(format!("no real {preset} data: {failure}\n{ways}").into());
    }
    eprintln!("No real {preset} data: {failure}\n{ways}");
    eprintln!(
        "Using synthetic data of the same shape instead. With --require-real, this is an error.\n"
    );
    generate(preset)
}

fn ways_to_real_data(preset: Preset, named: Option<&Path>) -> String {
    let looked = match named {
        Some(directory) => format!("nothing at {}", directory.display()),
        None => "not set".into(),
    };
    format!(
        "To use the real data, do one of these:\n  \
         --data DIR, where DIR holds train.txt and test.txt in LightGCN's format;\n  \
         BSPM_DATA=FOLDER, where FOLDER/{preset} holds them (now: {looked});\n  \
         connect to the network, and the files are downloaded from {}",
        download::source(preset.name()),
    )
}

fn read(directory: PathBuf) -> Result<Dataset, Box<dyn Error>> {
    let start = Instant::now();
    let split = TrainTest::from_lightgcn_directory(&directory)?;
    Ok(Dataset {
        split,
        origin: Origin::Files(directory),
        load_time: start.elapsed(),
    })
}

fn generate(preset: Preset) -> Result<Dataset, Box<dyn Error>> {
    const SEED: u64 = 2023;
    let start = Instant::now();
    let split = shape(preset).generate(SEED)?;
    Ok(Dataset {
        split,
        origin: Origin::Synthetic,
        load_time: start.elapsed(),
    })
}
