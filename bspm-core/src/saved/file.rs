//! Model files on disk: replaced as a whole, and mapped into memory.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use memmap2::{Mmap, MmapOptions};

use crate::error::{Error, Result};

/// Replaces a file by what `write` writes, or leaves it as it is.
///
/// The bytes go to a temporary file beside it, `.NAME.*.partial`, which is flushed to the disk
/// and then renamed. The file keeps its mode, and a link stays one.
///
/// # Errors
///
/// [`Error::Write`], also where there is something that is no regular file; those of `write`.
pub fn replace(path: &Path, write: impl FnOnce(&mut BufWriter<&File>) -> Result<()>) -> Result<()> {
    replace_checked(path, write, |_| Ok(()))
}

/// [`replace`], unless `check` finds something wrong with the temporary file.
pub(super) fn replace_checked(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<&File>) -> Result<()>,
    check: impl FnOnce(&Path) -> Result<()>,
) -> Result<()> {
    let failed = |source| Error::Write {
        path: path.into(),
        source,
    };
    // A link stays one: what it leads to is replaced.
    let target = fs::canonicalize(path).ok();
    let path = target.as_deref().unwrap_or(path);
    let before = fs::metadata(path).ok();
    if before
        .as_ref()
        .is_some_and(|it| !it.is_file() && !it.is_dir())
    {
        let what = "not a regular file, which alone can be replaced as a whole";
        return Err(failed(io::Error::new(io::ErrorKind::InvalidInput, what)));
    }
    let directory = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let name = path
        .file_name()
        .ok_or_else(|| failed(io::Error::from(io::ErrorKind::IsADirectory)))?;
    let temporary = temporary_file(name, directory).map_err(failed)?;
    let mut out = BufWriter::with_capacity(1 << 20, temporary.as_file());
    write(&mut out)?;
    out.flush().map_err(failed)?;
    drop(out);
    check(temporary.path())?;
    if let Some(before) = before {
        temporary
            .as_file()
            .set_permissions(before.permissions())
            .map_err(failed)?;
    }
    temporary.as_file().sync_all().map_err(failed)?;
    temporary
        .persist(path)
        .map_err(|error| failed(error.error))?;
    sync_directory(directory).map_err(failed)
}

fn temporary_file(name: &std::ffi::OsStr, directory: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut prefix = std::ffi::OsString::from(".");
    prefix.push(name);
    prefix.push(".");
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).suffix(".partial");
    // As a file that is simply created: readable by all but for the umask.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(directory)
}

/// Makes a rename last through a power failure, where directories can be flushed.
fn sync_directory(directory: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(directory)?.sync_all()
    } else {
        Ok(())
    }
}

/// Maps a whole file.
pub(super) fn map(path: &Path) -> Result<Mmap> {
    let failed = |source| Error::Read {
        path: path.into(),
        source,
    };
    if fs::metadata(path).map_err(failed)?.is_dir() {
        return Err(failed(io::Error::from(io::ErrorKind::IsADirectory)));
    }
    let file = File::open(path).map_err(failed)?;
    // SAFETY: the map is only read, as bytes and as numbers for which every bit pattern
    // is valid. It stays sound while nobody writes to the file; `Model::open` asks for
    // that, and `Model::save` replaces files instead of writing to them.
    unsafe { MmapOptions::new().populate().map(&file) }.map_err(failed)
}
