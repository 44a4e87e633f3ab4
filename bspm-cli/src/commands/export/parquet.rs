//! Writing a table as Parquet, whole or not at all.

use std::error::Error;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, FloatType};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

/// A named column.
pub(super) struct Column<'a> {
    name: &'static str,
    values: Values<'a>,
}

enum Values<'a> {
    Texts(Vec<&'a str>),
    Numbers(Vec<f32>),
}

/// Rows that are encoded together.
const ROW_GROUP: usize = 1 << 20;

impl<'a> Column<'a> {
    pub(super) fn texts(name: &'static str, values: Vec<&'a str>) -> Self {
        Self {
            name,
            values: Values::Texts(values),
        }
    }

    pub(super) fn numbers(name: &'static str, values: Vec<f32>) -> Self {
        Self {
            name,
            values: Values::Numbers(values),
        }
    }

    fn len(&self) -> usize {
        match &self.values {
            Values::Texts(values) => values.len(),
            Values::Numbers(values) => values.len(),
        }
    }

    fn declaration(&self) -> String {
        match self.values {
            Values::Texts(_) => format!("REQUIRED BYTE_ARRAY {} (STRING);", self.name),
            Values::Numbers(_) => format!("REQUIRED FLOAT {};", self.name),
        }
    }

    fn write(
        &self,
        rows: std::ops::Range<usize>,
        group: &mut SerializedRowGroupWriter<'_, &File>,
    ) -> Result<(), Box<dyn Error>> {
        let mut column = group.next_column()?.ok_or("a column too many")?;
        match &self.values {
            Values::Texts(values) => {
                let values: Vec<ByteArray> = values[rows].iter().map(|&it| it.into()).collect();
                let writer = column.typed::<ByteArrayType>();
                writer.write_batch(&values, None, None)?;
            }
            Values::Numbers(values) => {
                let writer = column.typed::<FloatType>();
                writer.write_batch(&values[rows], None, None)?;
            }
        }
        Ok(column.close()?)
    }
}

/// Writes columns of one length to a new file, which takes the place of `path` at the end.
pub(super) fn write(path: &Path, columns: &[Column<'_>]) -> Result<(), Box<dyn Error>> {
    let failed =
        |error: &dyn std::fmt::Display| format!("cannot write {}: {error}", path.display());
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    let unfinished = tempfile::Builder::new()
        .prefix(".bspm-")
        .tempfile_in(folder.unwrap_or(Path::new(".")))
        .map_err(|error| failed(&error))?;
    encode(unfinished.as_file(), columns).map_err(|error| failed(&error))?;
    unfinished
        .as_file()
        .sync_all()
        .map_err(|error| failed(&error))?;
    readable(unfinished.as_file()).map_err(|error| failed(&error))?;
    unfinished
        .persist(path)
        .map_err(|error| failed(&error.error))?;
    Ok(())
}

/// Gives a file the mode that new files have, which temporary ones have not.
fn readable(file: &File) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.set_permissions(std::fs::Permissions::from_mode(0o644))?;
    }
    let _ = file;
    Ok(())
}

fn encode(file: &File, columns: &[Column<'_>]) -> Result<(), Box<dyn Error>> {
    let declarations: Vec<String> = columns.iter().map(Column::declaration).collect();
    let schema = parse_message_type(&format!("message table {{ {} }}", declarations.join(" ")))?;
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY);
    let mut writer =
        SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties.build()))?;
    let length = columns.first().map_or(0, Column::len);
    for start in (0..length).step_by(ROW_GROUP) {
        let rows = start..(start + ROW_GROUP).min(length);
        let mut group = writer.next_row_group()?;
        for column in columns {
            column.write(rows.clone(), &mut group)?;
        }
        group.close()?;
    }
    writer.close()?;
    Ok(())
}
