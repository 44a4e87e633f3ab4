//! Tags of items, such as categories, which count in the fit.

use std::error::Error;
use std::path::PathBuf;

use bspm::data::{Format, ReadReport, expand_paths};
use bspm::tune::choose_tag_weight;
use bspm::{Backend, Dataset, FilterConfig, FitOptions};
use bspm_args::{ProgressBars, tell};
use clap::Args;

use crate::data::{DataArguments, DataError};
use crate::output::shown;

/// Tags of items.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Tags of items")]
pub(crate) struct TagArguments {
    /// Table with a row for each tag of an item, such as a category or a brand: CSV, TSV, JSON lines or
    /// Parquet. Tags improve the scores of items with few interactions, and give scores to items without
    /// interactions. --delimiter, --quoting, --comment, --encoding, --null-values, --trim-ids and --skip-invalid also
    /// apply to this table, if its format uses them
    #[arg(long, value_name = "FILE")]
    tags: Option<PathBuf>,
    /// Column of tags in the table of tags
    #[arg(long, value_name = "COLUMN", default_value = "tag", requires = "tags")]
    tag_column: String,
    /// Column of items in the table of tags. Default: --item-column, else item, item_id or a usual
    /// name
    #[arg(long, value_name = "COLUMN", requires = "tags")]
    tag_item_column: Option<String>,
    /// Weight of a tag of an item in the fit; an interaction has weight 1. Default: the largest of
    /// 0.1, 0.3, 1, 3 and 10 with an NDCG@20 near the best one on held-out interactions, if the filter is
    /// chosen too; else the weight in the model that is refitted, else 1
    #[arg(long, value_name = "WEIGHT", requires = "tags")]
    tag_weight: Option<f64>,
}

impl TagArguments {
    /// Returns the file, if one is given.
    pub(crate) fn files(&self) -> &[PathBuf] {
        self.tags.as_slice()
    }

    /// Adds the tags to a data set, if a file is given. Reports what was read on standard error.
    pub(crate) fn add_to(
        &self,
        dataset: Dataset,
        data: &DataArguments,
    ) -> Result<Dataset, Box<dyn Error>> {
        let Some(path) = &self.tags else {
            return Ok(dataset);
        };
        let paths = expand_paths([path]).map_err(DataError::from)?;
        let format = match Format::of(path).map_err(DataError::from)? {
            format @ (Format::Csv | Format::Tsv | Format::JsonLines | Format::Parquet) => format,
            _ => {
                return Err(format!(
                    "{}: expected a table of tags whose name ends in .csv, .tsv, .jsonl or .parquet",
                    path.display()
                )
                .into());
            }
        };
        let item = self.tag_item_column.as_deref().or(data.item_column());
        let mut options = data.table().text_for(format).user(&self.tag_column);
        if let Some(item) = item {
            options = options.item(item);
        }
        let read = bspm_arrow::read_files(&paths, Some(format), &options);
        let (tags, report): (Dataset, ReadReport) = read.map_err(|error| self.with_hint(error))?;
        for warning in &report.warnings {
            tell!("warning: tags: {}", shown(warning));
        }
        let is_known = |item: &&String| dataset.items().index::<String>(item).is_some();
        let known = tags.items().iter().filter(is_known).count();
        let items = dataset.items().len();
        let warning = if known == 0 { "warning: " } else { "" };
        tell!(
            "{warning}tags: read {} pairs of {} tags and {} items; {known} of {items} items with \
             interactions have tags, and {} items with tags have no interactions",
            tags.len(),
            tags.users().len(),
            tags.items().len(),
            tags.items().len() - known,
        );
        let weight = dataset.tags().map(|it| f64::from(it.weight()));
        let weight = self.tag_weight.or(weight).unwrap_or(1.0);
        let names = tags.users().len();
        let dataset = dataset.with_tags(&tags, weight)?;
        let left_out = names - dataset.tags().map_or(0, |tags| tags.names().len());
        if left_out > 0 {
            tell!(
                "tags: {left_out} of {names} tags are not used, because more than half of all items have them"
            );
        }
        Ok(dataset)
    }

    /// Chooses the weight of the tags for a filter, if there are tags and no weight is given.
    pub(crate) fn with_chosen_weight<B: Backend>(
        &self,
        backend: B,
        dataset: Dataset,
        config: &FilterConfig,
        bars: &ProgressBars,
    ) -> bspm::Result<Dataset> {
        if self.tags.is_none() || self.tag_weight.is_some() {
            return Ok(dataset);
        }
        let options = FitOptions::new().observer(bars.observer());
        let weight = choose_tag_weight(backend, &dataset, config, &options)?;
        bars.clear();
        tell!(
            "tag weight: {weight}, the largest with an NDCG@20 near the best one on held-out interactions"
        );
        dataset.with_tag_weight(weight)
    }

    fn with_hint(&self, mut error: bspm::Error) -> DataError {
        // The tags are read as users.
        match &mut error {
            bspm::Error::InvalidField { expected, .. } => {
                *expected = expected.replace("a user id", "a tag");
            }
            bspm::Error::InvalidParameter { parameter, .. } if *parameter == "item" => {
                *parameter = "--tag-item-column";
            }
            _ => {}
        }
        match &error {
            bspm::Error::MissingColumn { column, .. } if *column == self.tag_column => {
                DataError::with_hint(error, "set the column of tags with --tag-column")
            }
            bspm::Error::MissingColumn { .. } => DataError::with_hint(
                error,
                "set the column of items in the table of tags with --tag-item-column",
            ),
            _ => error.into(),
        }
    }
}
