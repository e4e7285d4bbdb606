//! A scan's bytes as its codes are read: a piece at a time, without the zeros that are stuffed after 0xff.

use std::fs::File;
use std::io::Read;

use super::markers::next_end_of_scan;

/// Bytes that are added at once; with the tables they stay in a processor's first cache.
const PIECE: usize = 1 << 13;
/// Bytes that are read from a file at once.
const READ: usize = 1 << 18;
/// Zeros after the last byte, so that eight can be looked at anywhere.
const PADDING: usize = 16;

/// Why there are no more bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Marker,
    /// The file ends, or bytes of 0xff do not tell yet what comes.
    Unclear,
}

/// The bytes up to the next marker.
#[derive(Debug)]
pub(super) struct Feed<'a> {
    coded: Coded<'a>,
    window: Vec<u8>,
    len: usize,
    end: Option<End>,
    /// Bytes that have left the window.
    dropped: usize,
}

impl<'a> Feed<'a> {
    /// Of the bytes from `at` on, with those of `file` after them, if there is one.
    pub fn new(bytes: &'a [u8], at: usize, file: Option<&'a File>) -> Self {
        let coded = match file {
            None => Coded::Held(&bytes[at..]),
            Some(file) => Coded::Read { file, buffer: bytes[at..].to_vec(), at: 0, over: false },
        };
        Self { coded, window: vec![0; PADDING], len: 0, end: None, dropped: 0 }
    }

    /// The bytes to read, with zeros after them.
    #[inline(always)]
    pub fn window(&self) -> &[u8] {
        &self.window
    }

    /// Bytes of the window before the zeros after the end.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.len
    }

    #[inline(always)]
    pub fn end(&self) -> Option<End> {
        self.end
    }

    /// Bytes that have left the window.
    pub fn dropped(&self) -> usize {
        self.dropped
    }

    /// Bytes of the file from byte `at` of the window on, stuffed zeros and all that is after the scan included; `None` where
    /// they are not held, or the window ends before.
    pub fn left(&self, at: usize) -> Option<usize> {
        let Coded::Held(to_come) = &self.coded else { return None };
        let window = self.window[..self.len].get(at..)?;
        let stuffed = memchr::memchr_iter(0xff, window).count();
        Some(window.len() + stuffed + to_come.len())
    }

    /// Drops `read` bytes from the window's front and adds more, until there are `least` or they end.
    #[cold]
    pub fn fill(&mut self, read: usize, least: usize) {
        self.dropped += read;
        self.window.copy_within(read..self.len, 0);
        self.window.truncate(self.len - read);
        while self.end.is_none() && self.window.len() < least + PIECE / 2 {
            self.add();
        }
        self.len = self.window.len();
        self.window.resize(self.len + PADDING, 0);
    }

    /// Goes on after a marker of two bytes; `None` where it is not this one.
    pub fn pass(&mut self, marker: u8) -> Option<()> {
        self.coded.ahead(2).starts_with(&[0xff, marker]).then_some(())?;
        self.coded.advance(2);
        self.end = None;
        Some(())
    }

    /// The next marker that ends the scan.
    pub fn marker_ahead(&mut self) -> Option<u8> {
        loop {
            let ahead = self.coded.ahead(2);
            if let Some(marker) = next_end_of_scan(ahead) {
                return Some(marker);
            }
            if ahead.len() < 2 {
                return None;
            }
            let all_but_one = ahead.len() - 1;
            self.coded.advance(all_but_one);
        }
    }

    fn add(&mut self) {
        let ahead = self.coded.ahead(PIECE + 1);
        let piece = &ahead[..ahead.len().min(PIECE)];
        if piece.is_empty() {
            self.end = Some(End::Unclear);
        }
        let mut at = 0;
        while at < piece.len() && self.end.is_none() {
            let data = memchr::memchr(0xff, &piece[at..]).unwrap_or(piece.len() - at);
            self.window.extend_from_slice(&piece[at..at + data]);
            at += data;
            if at < piece.len() {
                match ahead.get(at + 1) {
                    Some(0) => {
                        self.window.push(0xff);
                        at += 2;
                    }
                    Some(0xff) | None => self.end = Some(End::Unclear),
                    Some(_) => self.end = Some(End::Marker),
                }
            }
        }
        self.coded.advance(at);
    }
}

/// The file's bytes as they are.
#[derive(Debug)]
enum Coded<'a> {
    Held(&'a [u8]),
    Read { file: &'a File, buffer: Vec<u8>, at: usize, over: bool },
}

impl Coded<'_> {
    /// The bytes to come: at least `least`, or all that there are.
    fn ahead(&mut self, least: usize) -> &[u8] {
        match self {
            Coded::Held(bytes) => bytes,
            Coded::Read { file, buffer, at, over } => {
                if buffer.len() - *at < least && !*over {
                    buffer.drain(..*at);
                    *at = 0;
                    let wanted = buffer.len() + READ;
                    // A file that cannot be read ends here; who then reads it whole is told why.
                    let read = file.take(READ as u64).read_to_end(buffer);
                    *over = read.is_err() || buffer.len() < wanted;
                }
                &buffer[*at..]
            }
        }
    }

    fn advance(&mut self, count: usize) {
        match self {
            Coded::Held(bytes) => *bytes = &bytes[count..],
            Coded::Read { at, .. } => *at += count,
        }
    }
}
