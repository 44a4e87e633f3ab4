//! Interactions from record batches.

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;

use super::columns::{BatchRows, IdReader, ROWS, wrong};
use super::ids::ArrowId;
use bspm_data::reader::Rows;
use bspm_data::{Dataset, ReadReport, Result, TableOptions};

/// Reads data sets from record batches.
pub trait FromArrow: Sized {
    /// Reads record batches with one interaction per row.
    ///
    /// Ids are columns of text, of whole numbers (including whole decimals and floating-point numbers),
    /// or of UUIDs. Weights and ratings are numbers or Booleans (1 and 0). Times are numbers or text;
    /// columns of a temporal type with any unit become seconds since 1970.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidColumn`](bspm_data::Error::InvalidColumn) for a column of another type, for an
    /// invalid value, with its row, counted from 0 over all batches, or if the source of the batches fails;
    /// [`Error::UnusedOption`](bspm_data::Error::UnusedOption);
    /// [`Error::NoInteractions`](bspm_data::Error::NoInteractions).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::Arc;
    /// use arrow_array::{RecordBatch, StringArray, UInt64Array};
    /// use bspm_arrow::FromArrow;
    /// use bspm_data::{Dataset, TableOptions};
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
    fn from_batches(
        batches: impl IntoIterator<Item = Result<RecordBatch, ArrowError>>,
        options: &TableOptions,
    ) -> Result<Self> {
        Ok(Self::read_batches(batches, options)?.0)
    }

    /// Reads record batches as [`from_batches`](Self::from_batches), and also returns a report of the
    /// rows that were read and excluded.
    ///
    /// # Errors
    ///
    /// As [`from_batches`](Self::from_batches).
    fn read_batches(
        batches: impl IntoIterator<Item = Result<RecordBatch, ArrowError>>,
        options: &TableOptions,
    ) -> Result<(Self, ReadReport)>;
}

impl<U: ArrowId, I: ArrowId> FromArrow for Dataset<U, I> {
    fn read_batches(
        batches: impl IntoIterator<Item = Result<RecordBatch, ArrowError>>,
        options: &TableOptions,
    ) -> Result<(Self, ReadReport)> {
        options.check_batches()?;
        let user = IdReader {
            to: U::READ,
            id: U::read,
            look_up: U::look_up,
        };
        let item = IdReader {
            to: I::READ,
            id: I::read,
            look_up: I::look_up,
        };
        let mut rows = Rows::new(options);
        let mut first = 0;
        for batch in batches {
            let batch =
                batch.map_err(|error| wrong("user", None, "a record batch", error.to_string()))?;
            // A batch without rows is read too, so that its columns are checked.
            for start in (0..batch.num_rows().max(1)).step_by(ROWS) {
                let part = batch.slice(start, ROWS.min(batch.num_rows() - start));
                let mut of_part = BatchRows::new(&part, options, (&user, &item), rows.ids())?;
                rows.note_times(of_part.times_read());
                for row in 0..part.num_rows() {
                    rows.push((first + start + row) as u64, of_part.at(row))?;
                }
            }
            first += batch.num_rows();
        }
        rows.finish()
    }
}
