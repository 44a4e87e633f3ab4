//! Model files on disk, which are replaced atomically and mapped into memory.

use std::fs::{self, File, Metadata};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use memmap2::{Mmap, MmapOptions};

use super::format::HASH_BYTES;
use bspm_data::{Error, Result};

/// Replaces a file atomically with the output of `write`.
///
/// The bytes are written to `.NAME.*.partial` in the same folder, which is flushed to the disk and
/// then renamed. The file keeps its owner, its group and its permissions, except for set-user-ID and
/// set-group-ID bits. A symbolic link is followed.
///
/// # Errors
///
/// [`Error::Write`], also for a target that [`check_replaceable`] rejects, and if this process cannot keep
/// the owner or the group of the file; those of `write`.
pub fn replace(path: &Path, write: impl FnOnce(&mut BufWriter<&File>) -> Result<()>) -> Result<()> {
    replace_checked(path, write, |_| Ok(()))
}

/// Checks whether [`replace_file`](replace) can write this file, without writing anything.
///
/// # Errors
///
/// [`Error::Write`] for a folder, a device or a pipe, for a broken symbolic link, and for a file in a folder
/// that does not exist.
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

/// The file to be replaced.
struct Target {
    /// The path; links are resolved.
    path: PathBuf,
    /// The metadata of the existing file.
    before: Option<Metadata>,
}

impl Target {
    fn of(path: &Path) -> io::Result<Self> {
        let refused = |kind, what: String| Err(io::Error::new(kind, what));
        let Ok(target) = fs::canonicalize(path) else {
            if let Ok(target) = fs::read_link(path) {
                let what = format!(
                    "expected a file, found a symbolic link to {}, which does not exist; hint: remove \
                     the link, or use another file",
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
            let what = "expected a regular file, found a pipe, a socket or a device";
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

/// Whether a path cannot be a file, such as `..` and `folder/`.
fn path_is_folder(path: &Path) -> bool {
    let text = path.as_os_str().as_encoded_bytes();
    path.file_name().is_none() || text.last().is_some_and(|&last| last == b'/')
}

/// Like [`replace`], but does not replace the file if `check` fails for the temporary file.
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
                "the existing file belongs to user {user} and group {group}, which a new file \
                 cannot keep ({error}); hint: remove the file first, or use another file"
            );
            io::Error::new(error.kind(), what)
        })?;
    }
    // Remove the set-user-ID and set-group-ID bits, because the contents change.
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
    // The default permissions of a new file, which the umask restricts.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(directory)
}

/// Flushes a directory, so that a rename survives a power failure, if the system supports it.
fn sync_directory(directory: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(directory)?.sync_all()
    } else {
        Ok(())
    }
}

/// Returns the checksum at the end of a model file as hexadecimal digits, which identifies the model.
///
/// Reads only the last 16 bytes; [`Model::open`](crate::Model::open) verifies the checksum.
///
/// # Errors
///
/// [`Error::Read`], also if the path is not a regular file; [`Error::InvalidFile`] if the file is too short
/// to be a model.
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
            expected: "a bspm model".into(),
            found: format!("a file of {length} bytes"),
        });
    };
    let mut hash = [0; HASH_BYTES];
    file.seek(SeekFrom::Start(start)).map_err(failed)?;
    file.read_exact(&mut hash).map_err(failed)?;
    Ok(hash_text(&hash))
}

/// Formats the little-endian bytes of a hash as hexadecimal digits.
pub(super) fn hash_text(bytes: &[u8]) -> String {
    bytes
        .iter()
        .rev()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Opens a regular file. Other files are errors, because opening a pipe can block.
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

/// Maps a file into memory.
pub(super) fn map(path: &Path) -> Result<Mmap> {
    let failed = |source| Error::Read {
        path: path.into(),
        source,
    };
    let file = open_regular(path).map_err(failed)?;
    // SAFETY: the map is only read, as bytes and as numbers for which every bit pattern
    // is valid. This is sound if the file is not modified; `Model::open` requires that, and
    // `Model::save` replaces files instead of modifying them.
    unsafe { MmapOptions::new().populate().map(&file) }.map_err(failed)
}
