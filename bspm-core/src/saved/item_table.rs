//! The item table of a model file.

use std::hash::Hash;

use safetensors::tensor::Dtype;

use super::format::{ItemTableHeader, ItemTableInfo, SavedColumn};
use super::id::SavedId;
use super::read::{CheckedFile, invalid};
use bspm_data::{Ids, ItemColumn, ItemColumnKind, ItemTable, ItemValues, Result, Texts};

/// The ids of rows without interactions.
pub(super) const ID_ENDS: &str = "item_table.id_ends";
pub(super) const IDS: &str = "item_table.ids";

/// The byte of a missing boolean.
const NO_BOOLEAN: u8 = 2;

/// Returns the item table for the header.
pub(super) fn header<I: Eq + Hash + Clone>(table: &ItemTable<I>) -> ItemTableHeader {
    let title = table.titles().name();
    let columns = table.columns();
    ItemTableHeader {
        title: columns
            .iter()
            .position(|it| it.name() == title)
            .unwrap_or(0),
        columns: columns
            .iter()
            .map(|column| SavedColumn {
                name: column.name().to_owned(),
                kind: column.kind(),
            })
            .collect(),
    }
}

/// The tensors of a column: name, type and bytes.
pub(super) fn tensors(
    (place, column): (usize, &ItemColumn),
) -> Vec<(String, Dtype, std::borrow::Cow<'_, [u8]>)> {
    let name = |part: &str| format!("item_table.{place}.{part}");
    match column.values() {
        ItemValues::Text(texts) => vec![
            (
                name("ends"),
                Dtype::U64,
                bytemuck::cast_slice(texts.ends()).into(),
            ),
            (name("text"), Dtype::U8, texts.text().as_bytes().into()),
        ],
        ItemValues::Number(numbers) => {
            vec![(
                name("numbers"),
                Dtype::F64,
                bytemuck::cast_slice(numbers).into(),
            )]
        }
        ItemValues::Boolean(booleans) => {
            let bytes = booleans.iter().map(|it| it.map_or(NO_BOOLEAN, u8::from));
            vec![(
                name("booleans"),
                Dtype::U8,
                bytes.collect::<Vec<_>>().into(),
            )]
        }
        _ => Vec::new(),
    }
}

impl CheckedFile<'_> {
    /// Reads the item table, whose first rows are the items; `None` without one.
    pub(super) fn item_table<I>(&self, items: &Ids<I>) -> Result<Option<ItemTable<I>>>
    where
        I: SavedId + Eq + Hash + Clone,
    {
        let Some(header) = &self.header.item_table else {
            return Ok(None);
        };
        let others = self.rows_without_item()?;
        let others: Ids<I> = self.ids("item_table", &self.header.item_ids, others)?;
        let rows = items.len() + others.len();
        let ids: Ids<I> = items.iter().chain(others.iter()).cloned().collect();
        if ids.len() != rows {
            let expected = format!("item_table: {rows} distinct ids");
            return Err(invalid(self.path, &expected, format!("{} ids", ids.len())));
        }
        let columns = header.columns.iter().enumerate();
        let columns = columns.map(|(place, column)| self.item_column(place, column, rows));
        let columns: Vec<ItemColumn> = columns.collect::<Result<_>>()?;
        let title = header
            .columns
            .get(header.title)
            .map_or("", |it| it.name.as_str());
        let table = ItemTable::new(ids, title, columns);
        let table =
            table.map_err(|error| invalid(self.path, "item_table: a valid table", error))?;
        Ok(Some(table))
    }

    /// Reads the description of the item table.
    pub(super) fn item_table_info(&self) -> Result<Option<ItemTableInfo>> {
        let Some(header) = &self.header.item_table else {
            return Ok(None);
        };
        let title = header.columns.get(header.title);
        Ok(Some(ItemTableInfo {
            rows_without_item: self.rows_without_item()?,
            title: title.map_or_else(String::new, |it| it.name.clone()),
            columns: header.columns.clone(),
        }))
    }

    fn rows_without_item(&self) -> Result<usize> {
        Ok(self.tensor(ID_ENDS, Dtype::U64, 1)?.2[0].saturating_sub(1))
    }

    fn item_column(&self, place: usize, column: &SavedColumn, rows: usize) -> Result<ItemColumn> {
        let name = |part: &str| format!("item_table.{place}.{part}");
        let (values, expected) = match column.kind {
            ItemColumnKind::Number => {
                let numbers: Vec<f64> = self.numbers(&name("numbers"), Dtype::F64)?;
                (Some(ItemValues::Number(numbers)), "finite numbers, or NaN")
            }
            ItemColumnKind::Boolean => {
                let bytes = self.tensor(&name("booleans"), Dtype::U8, 1)?.0.iter();
                let booleans = bytes.map(|&byte| match byte {
                    0 | 1 => Some(Some(byte == 1)),
                    NO_BOOLEAN => Some(None),
                    _ => None,
                });
                let booleans: Option<Vec<_>> = booleans.collect();
                (booleans.map(ItemValues::Boolean), "bytes from 0 to 2")
            }
            _ => {
                let ends = self.numbers(&name("ends"), Dtype::U64)?;
                let text = self.tensor(&name("text"), Dtype::U8, 1)?.0;
                let text = String::from_utf8(text.to_vec()).ok();
                let texts = text.and_then(|text| Texts::from_parts(text, ends));
                (
                    texts.map(ItemValues::Text),
                    "texts in UTF-8 with their ends",
                )
            }
        };
        let column = values.map(|values| ItemColumn::from_values(&column.name, values));
        match column {
            Some(Ok(column)) if column.len() == rows => Ok(column),
            _ => {
                let expected = format!("item_table.{place}: {rows} {expected}");
                Err(invalid(self.path, &expected, "other values"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::super::format::HASH_BYTES;
    use super::super::write::{Contents, write};
    use super::*;
    use crate::filters::Preset;
    use bspm_data::Interactions;

    fn table() -> ItemTable<u32> {
        let columns = vec![
            ItemColumn::numbers("price", [2.5, f64::NAN, 3.0]),
            ItemColumn::texts("name", ["Té", "", "Jam"]),
            ItemColumn::booleans("sold", [Some(true), None, Some(false)]),
        ];
        ItemTable::new([7, 8, 9].into_iter().collect(), "name", columns).unwrap()
    }

    /// The file of a model of two items, with a table of three.
    fn file(table: Option<&ItemTable<u32>>) -> Vec<u8> {
        let ids: Ids<u32> = [7, 8].into_iter().collect();
        let contents = Contents {
            config: &Preset::AmazonBook.config().into(),
            svd: None,
            tensors: Vec::new(),
            fitted: &Interactions::from_pairs(2, 2, [(0, 0), (1, 1)]).unwrap(),
            histories: None,
            times: None,
            users: &ids,
            items: &ids,
            item_table: table,
            tags: None,
            trials: &[],
            weight_scale: None,
            decay: None,
        };
        let mut bytes = Vec::new();
        write(&contents, &mut bytes).unwrap();
        bytes
    }

    fn read(bytes: Vec<u8>) -> Result<Option<ItemTable<u32>>> {
        let file = CheckedFile::new(Path::new("m.bspm"), Arc::new(bytes))?;
        file.info()?;
        file.check::<u32, u32>()?;
        Ok(file.read::<u32, u32>()?.item_table)
    }

    /// The file with one tensor's bytes replaced, and the hash that fits.
    fn altered(name: &str, place: usize, bytes: &[u8]) -> Vec<u8> {
        let mut file = file(Some(&table()));
        let start = {
            let tensors = safetensors::SafeTensors::deserialize(&file).unwrap();
            tensors.tensor(name).unwrap().data().as_ptr() as usize - file.as_ptr() as usize
        };
        file[start + place..][..bytes.len()].copy_from_slice(bytes);
        let hashed = file.len() - HASH_BYTES;
        let hash = twox_hash::XxHash3_128::oneshot(&file[..hashed]);
        file[hashed..].copy_from_slice(&hash.to_le_bytes());
        file
    }

    #[test]
    fn a_table_is_read_as_it_was_written() {
        assert_eq!(read(file(Some(&table()))).unwrap(), Some(table()));
        assert_eq!(read(file(None)).unwrap(), None);
        let bytes = file(Some(&table()));
        let file = CheckedFile::new(Path::new("m.bspm"), Arc::new(bytes)).unwrap();
        let info = file.info().unwrap().item_table.unwrap();
        assert_eq!((info.rows_without_item, info.title.as_str()), (1, "name"));
        let kinds: Vec<_> = info.columns.iter().map(|it| it.kind.name()).collect();
        assert_eq!(kinds, ["number", "text", "boolean"]);
    }

    #[test]
    fn a_table_that_contradicts_itself_is_refused() {
        for (name, place, bytes, expected) in [
            (
                "item_table.1.ends",
                8,
                &9_u64.to_le_bytes()[..],
                "item_table.1: 3 texts",
            ),
            (
                "item_table.1.text",
                1,
                &[0xff],
                "item_table.1: 3 texts in UTF-8",
            ),
            (
                "item_table.0.numbers",
                0,
                &f64::INFINITY.to_le_bytes(),
                "item_table.0: 3 finite",
            ),
            (
                "item_table.2.booleans",
                1,
                &[3],
                "item_table.2: 3 bytes from 0 to 2",
            ),
            (
                "item_table.ids",
                0,
                &7_u32.to_le_bytes(),
                "item_table: 3 distinct ids",
            ),
            (
                "item_table.id_ends",
                8,
                &9_u64.to_le_bytes(),
                "item_table: 1 distinct ids",
            ),
        ] {
            let error = read(altered(name, place, bytes)).unwrap_err().to_string();
            assert!(error.contains(expected), "{name}: {error}");
        }
    }
}
