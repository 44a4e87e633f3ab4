//! Interactions from record batches.

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::ArrowError;

use super::columns::{find, ids, numbers, value, wrong};
use super::ids::ArrowId;
use crate::data::dataset::{Dataset, Event};
use crate::data::load::TableOptions;
use crate::error::Result;

impl<U: ArrowId, I: ArrowId> Dataset<U, I> {
    /// Reads record batches with one interaction per row, with the feature `arrow`.
    ///
    /// Ids are columns of text or whole numbers; weights and ratings are numbers, and times are
    /// numbers, or seconds since 1970 where the column has a type for times. The options'
    /// delimiter, quoting and header are not used.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidColumn`](crate::Error::InvalidColumn) with the row within its batch, from
    /// 0, or for a batch that its source could not give; those of
    /// [`DatasetBuilder::push`](crate::data::DatasetBuilder::push).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::Arc;
    /// use arrow_array::{RecordBatch, StringArray, UInt64Array};
    /// use bspm_core::{Dataset, data::TableOptions};
    ///
    /// let batch = RecordBatch::try_from_iter([
    ///     ("user", Arc::new(UInt64Array::from(vec![7, 7, 9])) as _),
    ///     ("item", Arc::new(StringArray::from(vec!["tea", "milk", "tea"])) as _),
    /// ])?;
    /// let options = TableOptions::new("user", "item");
    /// let dataset: Dataset<u64, String> = Dataset::from_batches([Ok(batch)], &options)?;
    /// assert_eq!(dataset.interactions().len(), 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_batches(
        batches: impl IntoIterator<Item = Result<RecordBatch, ArrowError>>,
        options: &TableOptions,
    ) -> Result<Self> {
        let mut builder = Self::builder().weighting(options.weighting.unwrap_or_default());
        if let Some(threshold) = options.rating_threshold {
            builder = builder.rating_threshold(threshold);
        }
        for batch in batches {
            let batch =
                batch.map_err(|error| wrong("user", None, "a record batch", error.to_string()))?;
            let (users, user_texts) = id_column::<U>(&batch, &options.user)?;
            let (items, item_texts) = id_column::<I>(&batch, &options.item)?;
            let rating = options.rating_threshold.and(options.rating.as_deref());
            let ratings = number_column(&batch, rating)?;
            let weights = number_column(&batch, options.weight.as_deref())?;
            let times = number_column(&batch, options.time.as_deref())?;
            for (row, (user, item)) in users.into_iter().zip(items).enumerate() {
                let missing = |name: &str, what: &str, texts: &ArrayRef| {
                    wrong(name, Some(row), what, value(texts, row))
                };
                let user = user.ok_or_else(|| missing(&options.user, "a user id", &user_texts))?;
                let item = item.ok_or_else(|| missing(&options.item, "an item id", &item_texts))?;
                let mut event = Event::new(user, item);
                event.rating = ratings.at(row, f64::MIN)?;
                event.weight = weights.at(row, 0.0)?;
                event.time = times.at(row, f64::MIN)?;
                builder.push(event)?;
            }
        }
        builder.finish()
    }
}

fn needed(batch: &RecordBatch, name: &str) -> Result<ArrayRef> {
    find(batch, name)?.ok_or_else(|| {
        let names: Vec<&str> = batch
            .schema_ref()
            .fields()
            .iter()
            .map(|it| it.name().as_str())
            .collect();
        wrong(name, None, "a column of this name", names.join(", "))
    })
}

/// The ids of a column, and the column as it came.
fn id_column<T: ArrowId>(batch: &RecordBatch, name: &str) -> Result<(Vec<Option<T>>, ArrayRef)> {
    let column = needed(batch, name)?;
    Ok((T::read(&ids::<T>(name, &column)?), column))
}

/// A column of numbers, if there should be one.
struct Numbers<'o>(Option<(&'o str, Vec<Option<f64>>)>);

fn number_column<'o>(batch: &RecordBatch, name: Option<&'o str>) -> Result<Numbers<'o>> {
    let column = name.map(|name| Ok((name, numbers(name, &needed(batch, name)?)?)));
    Ok(Numbers(column.transpose()?))
}

impl Numbers<'_> {
    fn at(&self, row: usize, least: f64) -> Result<Option<f64>> {
        let Some((name, numbers)) = &self.0 else {
            return Ok(None);
        };
        match numbers[row] {
            Some(number) if number.is_finite() && number >= least => Ok(Some(number)),
            other => {
                let expected = match least == 0.0 {
                    true => "a finite number, 0 or above",
                    false => "a finite number",
                };
                let found = other.map_or("null".into(), |number| number.to_string());
                Err(wrong(name, Some(row), expected, found))
            }
        }
    }
}
