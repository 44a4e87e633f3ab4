//! Ids in columns.

use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, UInt32Type, UInt64Type};
use arrow_array::{Array, ArrayRef, PrimitiveArray, RecordBatch, StringArray};
use arrow_schema::DataType;

use super::columns::{self, needed};
use bspm_data::{Error, Ids, Result};

/// Returns the ids of a column as text, as [`FromArrow::from_batches`](crate::FromArrow::from_batches)
/// reads them: whole numbers of any type give the plain number, and UUIDs their usual text. A null or a
/// value that is not an id gives `None`.
///
/// # Errors
///
/// [`Error::InvalidColumn`] if the column is missing, or if values of its type cannot be ids.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use arrow_array::{Float64Array, RecordBatch};
///
/// let ids = Arc::new(Float64Array::from(vec![17.0, 0.5]));
/// let batch = RecordBatch::try_from_iter([("user", ids as _)])?;
/// let texts = bspm_arrow::id_texts(&batch, "user")?;
/// assert_eq!(texts, [Some("17".to_owned()), None]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn id_texts(batch: &RecordBatch, name: &str) -> Result<Vec<Option<String>>> {
    let column = needed(batch, name)?;
    let ids = columns::ids(name, &column, &String::READ)?;
    let texts = ids.as_string_view().iter();
    Ok(texts.map(|text| text.map(str::to_owned)).collect())
}

/// A type of ids that can be read from a column of a record batch: text or a whole number.
///
/// If the ids are numbers, columns of text are parsed as numbers, and text that is not a number is an
/// invalid id. If the ids are text, numbers are converted to text.
pub trait ArrowId: Eq + Hash + Clone + Debug {
    /// The Arrow type that columns are cast to before they are read.
    #[doc(hidden)]
    const READ: DataType;

    /// Returns the id in a row of a column of the type [`READ`](Self::READ); `None` for a null.
    #[doc(hidden)]
    fn read(column: &dyn Array, row: usize) -> Option<Self>;

    /// Returns the row or column index of each id in a column of the type [`READ`](Self::READ); `None`
    /// for a null and for an unknown id.
    #[doc(hidden)]
    fn look_up(ids: &Ids<Self>, column: &dyn Array) -> Vec<Option<u32>>;

    /// Returns a column of these ids.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`] for 2 GB of text or more.
    fn column<'a>(ids: impl Iterator<Item = &'a Self> + Clone) -> Result<ArrayRef>
    where
        Self: 'a;
}

impl ArrowId for String {
    const READ: DataType = DataType::Utf8View;

    fn read(column: &dyn Array, row: usize) -> Option<Self> {
        let texts = column.as_string_view();
        texts.is_valid(row).then(|| texts.value(row).to_owned())
    }

    fn look_up(ids: &Ids<Self>, column: &dyn Array) -> Vec<Option<u32>> {
        let texts = column.as_string_view().iter();
        texts.map(|text| ids.index(text?)).collect()
    }

    fn column<'a>(ids: impl Iterator<Item = &'a Self> + Clone) -> Result<ArrayRef> {
        let limit = i32::MAX as usize;
        let found = ids.clone().map(String::len).sum();
        if found > limit {
            return Err(Error::TooLarge {
                what: "bytes of ids in a record batch",
                found,
                limit,
            });
        }
        Ok(Arc::new(StringArray::from_iter_values(ids)))
    }
}

macro_rules! arrow_integer {
    ($($integer:ty, $arrow:ty, $data_type:ident;)*) => {$(
        impl ArrowId for $integer {
            const READ: DataType = DataType::$data_type;

            fn read(column: &dyn Array, row: usize) -> Option<Self> {
                let numbers = column.as_primitive::<$arrow>();
                numbers.is_valid(row).then(|| numbers.value(row))
            }

            fn look_up(ids: &Ids<Self>, column: &dyn Array) -> Vec<Option<u32>> {
                let numbers = column.as_primitive::<$arrow>().iter();
                numbers.map(|number| ids.index(&number?)).collect()
            }

            fn column<'a>(ids: impl Iterator<Item = &'a Self> + Clone) -> Result<ArrayRef> {
                let ids = ids.copied();
                Ok(Arc::new(PrimitiveArray::<$arrow>::from_iter_values(ids)))
            }
        }
    )*};
}

arrow_integer! {
    i32, Int32Type, Int32;
    i64, Int64Type, Int64;
    u32, UInt32Type, UInt32;
    u64, UInt64Type, UInt64;
}
