//! Files on disk: opened without waiting, checked, and read whole.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek};
use std::path::Path;

use crate::error::{Error, Result};
use crate::interrupt;
use crate::limits::Limits;

/// Length in bytes from which a file is read a piece at a time, where that is enough.
const LONG: u64 = 4 << 20;
/// Bytes that are read between two looks at the interrupt.
const PIECE: usize = 1 << 20;

/// An open file of an image, of a length within the limits.
pub(crate) struct EncodedFile {
    pub file: File,
    len: u64,
}

impl EncodedFile {
    /// Opens a regular file. A pipe, a socket or a device is refused: waiting for it might never end, and a
    /// device may act on being opened.
    pub fn open(path: &Path, limits: &Limits) -> Result<Self> {
        check_regular(&std::fs::metadata(path)?)?;
        let file = without_waiting(OpenOptions::new().read(true)).open(path)?;
        let metadata = file.metadata()?;
        // Another file may have taken the path meanwhile.
        check_regular(&metadata)?;
        let len = metadata.len();
        limits.check_bytes(len)?;
        Ok(Self { file, len })
    }

    /// Whether it is worth reading a piece at a time.
    pub fn is_long(&self) -> bool {
        self.len >= LONG
    }

    /// All of its bytes. It is read, not mapped: a mapped file that is cut short meanwhile kills the process.
    pub fn read(mut self, limits: &Limits) -> Result<Vec<u8>> {
        self.file.rewind()?;
        let mut bytes = Vec::new();
        // The length is a hint: the file may grow, and some of the system's own say 0.
        let mut room = usize::try_from(self.len).unwrap_or(usize::MAX).saturating_add(1);
        loop {
            interrupt::check()?;
            let wanted = bytes.len().saturating_add(room) as u64;
            bytes.try_reserve_exact(room).map_err(|_| Error::out_of_memory("the file", wanted))?;
            room = PIECE;
            while bytes.len() < bytes.capacity() {
                let free = bytes.capacity() - bytes.len();
                if (&self.file).take(free.min(PIECE) as u64).read_to_end(&mut bytes)? == 0 {
                    return Ok(bytes);
                }
                limits.check_bytes(bytes.len() as u64)?;
                interrupt::check()?;
            }
        }
    }
}

fn check_regular(metadata: &std::fs::Metadata) -> Result<()> {
    if metadata.is_file() {
        return Ok(());
    }
    if metadata.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory).into());
    }
    Err(Error::unsupported(
        "expected the path of a regular file, found a pipe, a socket or a device: \
         open it yourself and pass what it reads, in Python open(path, \"rb\")",
    ))
}

#[cfg(unix)]
fn without_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
}

#[cfg(not(unix))]
fn without_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(content: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        file
    }

    #[test]
    fn reads_files_of_all_lengths() {
        for len in [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 5] {
            let content: Vec<_> = (0..len).map(|i| (i % 251) as u8).collect();
            let file = file(&content);
            let limits = Limits { max_bytes: Some(len as u64), ..Limits::default() };
            let bytes = EncodedFile::open(file.path(), &limits).unwrap().read(&limits).unwrap();
            assert!(bytes == content, "{len}");
        }
    }

    #[test]
    fn refuses_a_file_that_is_too_long_or_grows() {
        let file = file(&[0; 10]);
        let limits = Limits { max_bytes: Some(10), ..Limits::default() };
        let opened = EncodedFile::open(file.path(), &limits).unwrap();
        std::fs::write(file.path(), [0; 11]).unwrap();
        assert!(matches!(opened.read(&limits), Err(Error::Limit { allowed: 10, found: 11, .. })));
        assert!(matches!(EncodedFile::open(file.path(), &limits), Err(Error::Limit { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn refuses_what_is_no_regular_file_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let limits = Limits::default();
        for path in [Path::new("/dev/zero"), &socket] {
            assert!(matches!(EncodedFile::open(path, &limits), Err(Error::Unsupported(_))), "{path:?}");
        }
        assert!(matches!(EncodedFile::open(folder.path(), &limits), Err(Error::Io(_))));
    }
}
