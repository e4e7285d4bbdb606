//! MCUs read from a byte further on, before it is known where an MCU begins there.
//!
//! Codes of Huffman fall into step: who begins to read at any bit soon comes to where a code begins, and in the end to
//! where an MCU does. From there on a reader has what any other one has that begins an MCU at the same bit, but for the sums
//! of DC. So one thread reads ahead from a byte that it chooses, and the other one, which reads all of the scan in order, looks whether
//! an MCU of the first one's begins where it stands itself. If so it hands these out, and goes on after them. If not, nothing
//! of them is used: a guess changes the time, and no bit and no error.
//!
//! After a restart marker an MCU begins for certain, with a known state: where one is near, a guess begins after it. The reader comes there
//! by the marker before and by the count of MCUs, or the scan is not regular.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::kept::Kept;
use super::worked::Worked;
use crate::decode::jpeg::scan::{Scan, Target};
use crate::error::Result;

/// MCUs that are read before anything else is looked at.
const SLICE: usize = 24;
/// Bytes from the reader to where a guess begins: half of what is left, and no more than these. Guesses that are short stay in a
/// processor's caches, and are used soon; but up to a row of MCUs of each is read twice.
const MOST_BYTES: usize = 1 << 18;
/// Bytes left of the scan that are worth a guess.
const LEAST_BYTES: usize = 1 << 14;

/// Reads some MCUs.
pub(super) type ReadOn = fn(&mut Guess<'_>);

/// MCUs from a byte of the file on.
pub(super) struct Guess<'a> {
    /// Where they end.
    scan: Scan<'a>,
    kept: Kept,
    is_over: bool,
    /// The bytes from the first one on that the reader has passed, and those of them that are stuffed zeros or markers.
    passed: (usize, usize),
}

impl<'a> Guess<'a> {
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
                self.is_over = true;
            }
        }
    }

    /// The bit at which the reader stands, where it has passed `bytes` and all but the last `buffered` bits of them are read.
    fn bit(&mut self, bytes: &[u8], buffered: usize) -> Option<usize> {
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
    guess: Box<Guess<'a>>,
    /// The first word of the next one.
    at: usize,
}

impl Found<'_> {
    /// Hands out the next MCU, if there is one.
    #[inline(always)]
    pub fn hand_out(&mut self, scan: &mut Scan<'_>, target: &mut impl Target) -> Option<()> {
        self.at = self.guess.kept.hand_out(self.at, scan, target)?;
        Some(())
    }
}

pub(super) enum State<'a> {
    /// There is no guess, and this to make one with.
    Idle(Kept),
    Made(Box<Guess<'a>>),
    Found,
}

/// What two threads share: the reader, which reads all of the scan, and the one that reads ahead when it has nothing else to do.
pub(in crate::decode::jpeg) struct Guesses<'a> {
    bytes: &'a [u8],
    /// The scan as it begins, and its first byte.
    scan: Scan<'a>,
    pub(super) first: usize,
    /// The rows of MCUs that the reader reads.
    rows: usize,
    pub(super) read_on: ReadOn,
    /// The byte that the reader stands at, the one at which its last row may end, and the one at which the guess begins.
    pub(super) at: AtomicUsize,
    end: AtomicUsize,
    from: AtomicUsize,
    /// Nanoseconds that it will have worked after its next row.
    worked: AtomicU64,
    state: Mutex<State<'a>>,
}

impl<'a> Guesses<'a> {
    /// Bytes that they take at the most.
    pub const MEMORY: usize = Kept::MEMORY;

    /// For a scan of which nothing is read yet, and the first `rows` rows of MCUs are to be; `bytes` are the file. `None` where
    /// there is nothing to guess.
    pub(super) fn new(
        bytes: &'a [u8],
        scan: &Scan<'a>,
        rows: usize,
        read_on: ReadOn,
    ) -> Result<Option<Self>> {
        let Some((left, _)) = scan.left() else { return Ok(None) };
        let first = bytes.len() - left;
        Ok(Some(Self {
            bytes,
            scan: scan.from(bytes, first, Some(7)),
            first,
            rows,
            read_on,
            at: first.into(),
            end: first.into(),
            from: usize::MAX.into(),
            worked: 0.into(),
            state: Mutex::new(State::Idle(Kept::new()?)),
        }))
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State<'a>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads a little ahead for a thread that has worked so many nanoseconds; whether there may be more to read now. It reads no more
    /// than gives both threads the same to do: if the reader is late for another reason, it waits for a processor, and may get the
    /// one of this thread.
    pub fn read_ahead(&self, worked: u64) -> bool {
        if worked > self.worked.load(Ordering::Relaxed) {
            return false;
        }
        let mut state = self.state();
        if matches!(*state, State::Idle(_)) {
            let Some((from, restart)) = self.choose() else { return false };
            self.begin(&mut state, from, restart);
        }
        let State::Made(guess) = &mut *state else { return false };
        // The reader may be waiting for this very guess.
        if self.at.load(Ordering::Relaxed) >= self.from.load(Ordering::Relaxed) {
            return false;
        }
        (self.read_on)(guess);
        !guess.is_over
    }

    /// The byte at which to begin, and the number of the restart marker before it, if it comes after one.
    fn choose(&self) -> Option<(usize, Option<u8>)> {
        let at = self.at.load(Ordering::Relaxed);
        let left = self.end.load(Ordering::Relaxed).min(self.bytes.len()).checked_sub(at)?;
        if left < LEAST_BYTES {
            return None;
        }
        let share = (left / 2).min(MOST_BYTES);
        let from = at + share;
        // After 0xff comes a stuffed zero, or a marker.
        let can_begin = |from: &usize| self.bytes.get(from - 1).is_some_and(|&byte| byte != 0xff);
        let inside = || Some(((from..from + 8).find(can_begin)?, None));
        // Where the next marker is far away, its interval is too long to wait for its end.
        self.next_restart(from..from + share / 2).or_else(inside)
    }

    /// The first byte after a restart marker that begins in `range`, and the marker's number.
    pub(super) fn next_restart(&self, range: Range<usize>) -> Option<(usize, Option<u8>)> {
        if !self.scan.has_restarts() {
            return None;
        }
        let after = |at: usize| match self.bytes.get(range.start + at + 1) {
            Some(&marker @ 0xd0..=0xd7) => Some((range.start + at + 2, Some(marker - 0xd0))),
            _ => None,
        };
        let bytes = &self.bytes[range.start..range.end.min(self.bytes.len())];
        memchr::memchr_iter(0xff, bytes).find_map(after)
    }

    /// Begins a guess at byte `from`, after that restart marker, if there is none.
    pub(super) fn begin(&self, state: &mut State<'a>, from: usize, restart: Option<u8>) {
        *state = match std::mem::replace(state, State::Found) {
            State::Idle(kept) => {
                self.from.store(from, Ordering::Relaxed);
                let scan = self.scan.from(self.bytes, from, restart);
                State::Made(Guess { scan, kept, is_over: false, passed: (0, 0) }.into())
            }
            other => other,
        };
    }

    /// Tells how long the reader has worked.
    pub(super) fn tell(&self, worked: &Worked) {
        self.worked.store(worked.with_next(), Ordering::Relaxed);
    }

    /// Whether a guess has the MCUs from where `scan` stands on, of which `done` rows of MCUs are read.
    pub(super) fn look(&self, scan: &Scan<'a>, done: usize) -> Option<Found<'a>> {
        let (left, buffered) = scan.left()?;
        let at = self.bytes.len() - left;
        let length = (at - self.first) as u64 * self.rows as u64 / done.max(1) as u64;
        self.end.store(self.first.saturating_add(length as usize), Ordering::Relaxed);
        self.at.store(at, Ordering::Relaxed);
        let from = self.from.load(Ordering::Relaxed);
        if at < from {
            return None;
        }
        let mut state = self.state();
        let State::Made(guess) = &mut *state else { return None };
        let bit = guess.bit(&self.bytes[from..at], buffered)?;
        let found = guess.kept.find(bit);
        if found.is_none() && bit < guess.scan.taken() {
            return None;
        }
        self.from.store(usize::MAX, Ordering::Relaxed);
        let State::Made(guess) = std::mem::replace(&mut *state, State::Found) else { return None };
        match found {
            Some((at, count)) if scan.follows(&guess.scan, count) => Some(Found { guess, at }),
            _ => {
                *state = State::Idle(guess.kept.cleared());
                None
            }
        }
    }

    /// Has `scan` go on after the MCUs of a guess, all of which are handed out.
    pub(super) fn end(&self, found: Found<'a>, scan: &mut Scan<'a>) {
        scan.go_on_from(found.guess.scan);
        *self.state() = State::Idle(found.guess.kept.cleared());
    }
}
