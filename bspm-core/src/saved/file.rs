//! Model files on disk: replaced as a whole, and mapped into memory.

use std::fs::{self, File, Metadata};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use memmap2::{Mmap, MmapOptions};

use super::format::HASH_BYTES;
use bspm_data::{Error, Result};

/// Replaces a file by what `write` writes, or leaves it as it is.
///
/// The bytes go to a temporary file beside it, `.NAME.*.partial`, which is flushed to the disk
/// and then renamed. The file keeps its owner, its group and its permissions, except for set-user-ID
/// and set-group-ID bits, and a link stays one.
///
/// # Errors
///
/// [`Error::Write`], also for a target that [`check_replaceable`] refuses, and for a file of another
/// owner or group, which this process cannot keep; those of `write`.
pub fn replace(path: &Path, write: impl FnOnce(&mut BufWriter<&File>) -> Result<()>) -> Result<()> {
    replace_checked(path, write, |_| Ok(()))
}

/// Checks whether [`replace_file`](replace) can write a file of this name, without writing anything.
///
/// # Errors
///
/// [`Error::Write`] for a folder, a device or a pipe, for a symbolic link that leads nowhere, and for
/// a file in a folder that does not exist.
///
/// # Examples
///
/// ```
/// use bspm_core::saved::check_replaceable;
///
/// let folder = tempfile::tempdir()?;
/// check_replaceable(&folder.path().join("shop.bspm"))?;
/// assert!(check_replaceable(folder.path()).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn check_replaceable(path: &Path) -> Result<()> {
    Target::of(path).map(drop).map_err(|source| Error::Write {
        path: path.into(),
        source,
    })
}

/// The file that is to be replaced.
struct Target {
    /// Where it is: for a link, what it leads to.
    path: PathBuf,
    /// What is there now.
    before: Option<Metadata>,
}

impl Target {
    fn of(path: &Path) -> io::Result<Self> {
        let refused = |kind, what: String| Err(io::Error::new(kind, what));
        let Ok(target) = fs::canonicalize(path) else {
            if let Ok(target) = fs::read_link(path) {
                let what = format!(
                    "it is a symbolic link to {}, which does not exist; remove the link or name the \
                     file itself",
                    target.display()
                );
                return refused(io::ErrorKind::InvalidInput, what);
            }
            let (path, before) = (path.to_owned(), None);
            let target = Self { path, before };
            if path_is_folder(&target.path) {
                return Err(io::ErrorKind::IsADirectory.into());
            }
            fs::metadata(target.folder())?;
            return Ok(target);
        };
        let before = fs::metadata(&target)?;
        if before.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if !before.is_file() {
            let what =
                "it is not a regular file, and only a regular file can be replaced as a whole";
            return refused(io::ErrorKind::InvalidInput, what.into());
        }
        Ok(Self {
            path: target,
            before: Some(before),
        })
    }

    fn folder(&self) -> &Path {
        match self.path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        }
    }
}

/// Whether a path cannot name a file, as `..` and `folder/`.
fn path_is_folder(path: &Path) -> bool {
    let text = path.as_os_str().as_encoded_bytes();
    path.file_name().is_none() || text.last().is_some_and(|&last| last == b'/')
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
    let target = Target::of(path).map_err(failed)?;
    let name = target.path.file_name().unwrap_or_default();
    let temporary = temporary_file(name, target.folder()).map_err(failed)?;
    let mut out = BufWriter::with_capacity(1 << 20, temporary.as_file());
    write(&mut out)?;
    out.flush().map_err(failed)?;
    drop(out);
    check(temporary.path())?;
    if let Some(before) = &target.before {
        keep_access(temporary.as_file(), before).map_err(failed)?;
    }
    temporary.as_file().sync_all().map_err(failed)?;
    temporary
        .persist(&target.path)
        .map_err(|error| failed(error.error))?;
    sync_directory(target.folder()).map_err(failed)
}

/// Gives a file the owner, the group and the permissions of the one that it replaces.
#[cfg(unix)]
fn keep_access(file: &File, before: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
    let now = file.metadata()?;
    let (user, group) = (before.uid(), before.gid());
    if (now.uid(), now.gid()) != (user, group) {
        fchown(file, Some(user), Some(group)).map_err(|error| {
            let what = format!(
                "the file that is there belongs to user {user} and group {group}, which a new file \
                 cannot keep ({error}); remove the file first or name another one"
            );
            io::Error::new(error.kind(), what)
        })?;
    }
    // New contents do not run with the rights of the owner.
    file.set_permissions(PermissionsExt::from_mode(before.mode() & 0o777))
}

#[cfg(not(unix))]
fn keep_access(file: &File, before: &Metadata) -> io::Result<()> {
    file.set_permissions(before.permissions())
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

/// The hash that a model file ends in, as hexadecimal digits: what tells one model from another.
///
/// Reads the last 16 bytes alone; [`Model::open`](crate::Model::open) checks what they say.
///
/// # Errors
///
/// [`Error::Read`], also for what is no regular file; [`Error::InvalidFile`] for a file that is too
/// short to be a model.
pub fn file_hash(path: &Path) -> Result<String> {
    let failed = |source| Error::Read {
        path: path.into(),
        source,
    };
    let mut file = open_regular(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    let Some(start) = length.checked_sub(HASH_BYTES as u64) else {
        return Err(Error::InvalidFile {
            path: path.into(),
            expected: "a model of bspm".into(),
            found: format!("a file of {length} bytes"),
        });
    };
    let mut hash = [0; HASH_BYTES];
    file.seek(SeekFrom::Start(start)).map_err(failed)?;
    file.read_exact(&mut hash).map_err(failed)?;
    Ok(hash_text(&hash))
}

/// The bytes of a hash, which are little-endian, as hexadecimal digits.
pub(super) fn hash_text(bytes: &[u8]) -> String {
    bytes
        .iter()
        .rev()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Opens a regular file: whoever opens a pipe waits until somebody writes to it.
fn open_regular(path: &Path) -> io::Result<File> {
    let refused = |metadata: Metadata| match metadata.is_file() {
        true => Ok(()),
        false if metadata.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        false => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "expected a regular file, found a pipe, a socket or a device",
        )),
    };
    refused(fs::metadata(path)?)?;
    let file = File::open(path)?;
    refused(file.metadata()?)?;
    Ok(file)
}

/// Maps a whole file.
pub(super) fn map(path: &Path) -> Result<Mmap> {
    let failed = |source| Error::Read {
        path: path.into(),
        source,
    };
    let file = open_regular(path).map_err(failed)?;
    // SAFETY: the map is only read, as bytes and as numbers for which every bit pattern
    // is valid. It stays sound while nobody writes to the file; `Model::open` asks for
    // that, and `Model::save` replaces files instead of writing to them.
    unsafe { MmapOptions::new().populate().map(&file) }.map_err(failed)
}
