//! The columns of a record batch that ask for lists.

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, LargeListArray};
use arrow_schema::{DataType, Field};

use super::columns::{self, cast, wrong};
use super::ids::ArrowId;
use bspm_data::Result;

/// Converts a column of ids to the type in which they are read.
pub(super) fn ids<T: ArrowId>(name: &str, column: &ArrayRef) -> Result<ArrayRef> {
    columns::ids(name, column, &T::READ)
}

/// Converts a column of lists of any list type.
pub(super) fn lists(name: &str, column: &ArrayRef) -> Result<LargeListArray> {
    let expected = "lists";
    let values = match column.data_type() {
        DataType::List(field) | DataType::LargeList(field) => field.data_type().clone(),
        DataType::FixedSizeList(field, _) => field.data_type().clone(),
        DataType::Null => DataType::Null,
        found => {
            let found = format!("a column of {found}");
            return Err(wrong(name, None, expected, found));
        }
    };
    let to = DataType::LargeList(Field::new_list_field(values, true).into());
    let lists = cast(name, column, &to, expected)?;
    Ok(lists.as_list::<i64>().clone())
}
