//! MCUs read from a byte further on, before it is known where an MCU begins there.
//!
//! Codes of Huffman fall into step: who begins to read at any bit soon comes to where a code begins, and in the end to
//! where an MCU does. From there on a reader has what any other one has that begins an MCU at the same bit, but for the sums
//! of DC. So a thread reads ahead from a byte that it chooses, and the reader, which reads all of the scan in order, looks whether
//! an MCU of that thread's begins where it stands itself. If so it hands these out, and goes on after them. If not, nothing
//! of them is used: a guess changes the time, and no bit and no error.
//!
//! After a restart marker an MCU begins for certain, with a known state: where one is near, a guess begins after it. The reader comes there
//! by the marker before and by the count of MCUs, or the scan is not regular.

use super::kept::Kept;
use crate::decode::jpeg::scan::{Scan, Target};

/// MCUs that are read before anything else is looked at.
const SLICE: usize = 24;

/// Reads some MCUs.
pub(super) type ReadOn = fn(&mut Guess<'_>);

/// MCUs from a byte of the file on.
pub(super) struct Guess<'a> {
    /// Where they end.
    pub scan: Scan<'a>,
    pub kept: Kept,
    /// Whether no more is to be read.
    pub is_over: bool,
    /// Whether the next MCU cannot be read, after a restart marker that may be passed already.
    pub is_broken: bool,
    /// The bytes from the first one on that the reader has passed, and those of them that are stuffed zeros or markers.
    passed: (usize, usize),
}

impl<'a> Guess<'a> {
    /// From where `scan` begins.
    pub fn new(scan: Scan<'a>, kept: Kept) -> Self {
        Self { scan, kept, is_over: false, is_broken: false, passed: (0, 0) }
    }

    /// Whether it has come to byte `byte` of a file of `len` bytes.
    pub fn is_past(&self, len: usize, byte: usize) -> bool {
        self.scan.left().is_some_and(|(left, _)| len - left >= byte)
    }

    /// Reads some MCUs. Where one cannot be read, those before it were no MCUs either, or the file is damaged, and all begins
    /// again after it; but where they come after a restart marker they were MCUs, and what comes now is none.
    #[inline(always)]
    pub fn read_on(&mut self) {
        for _ in 0..SLICE {
            let has_room = self.kept.has_room(self.scan.taken(), self.scan.blocks());
            if self.is_over || !has_room || self.scan.begin_mcu().is_err() {
                self.is_over = true;
                return;
            }
            self.kept.begin(self.scan.taken(), self.scan.blocks());
            self.scan.forget_dc();
            if self.scan.mcu(&mut self.kept).is_ok() {
                continue;
            }
            if !self.scan.has_restarts() && self.scan.leave_mcu() {
                self.kept.clear();
            } else {
                self.kept.drop_last();
                (self.is_over, self.is_broken) = (true, self.scan.has_restarts());
            }
        }
    }

    /// The bit at which the reader stands, where it has passed `bytes` and all but the last `buffered` bits of them are read.
    pub fn bit(&mut self, bytes: &[u8], buffered: usize) -> Option<usize> {
        let (before, left_out) = self.passed;
        let added = &bytes[before..];
        let of_marker = |at: usize| if added.get(at + 1) == Some(&0) { 1 } else { 2 };
        let left_out = left_out + memchr::memchr_iter(0xff, added).map(of_marker).sum::<usize>();
        self.passed = (bytes.len(), left_out);
        (8 * (bytes.len() - left_out)).checked_sub(buffered)
    }
}

/// MCUs of a guess that are the next ones of a scan.
pub(super) struct Found<'a> {
    pub guess: Box<Guess<'a>>,
    /// The slot that it is from.
    pub slot: usize,
    /// The first word of the next one.
    at: usize,
}

impl<'a> Found<'a> {
    /// Those from word `at` on.
    pub fn new(guess: Box<Guess<'a>>, slot: usize, at: usize) -> Self {
        Self { guess, slot, at }
    }

    /// Hands out the next MCU, if there is one.
    #[inline(always)]
    pub fn hand_out(&mut self, scan: &mut Scan<'_>, target: &mut impl Target) -> Option<()> {
        self.at = self.guess.kept.hand_out(self.at, scan, target)?;
        Some(())
    }
}
