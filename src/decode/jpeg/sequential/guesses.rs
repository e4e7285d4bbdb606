//! The guesses of one scan, between the reader and the threads that read ahead.
//!
//! A thread chooses a place for each guess, after those of all others, and reads on until it is past where the next one begins: so
//! the reader goes from one to the next. What it finds unfinished it takes as it is, and reads what is missing.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::guess::{Found, Guess, ReadOn};
use super::kept::Kept;
use super::worked::Worked;
use crate::decode::jpeg::bits::Irregular;
use crate::decode::jpeg::scan::Scan;
use crate::error::Result;

/// Bytes of a guess at the most, of one thread and of several: with two threads up to a row of MCUs of each is read twice; with
/// more of them, short ones are used soon.
const MOST_BYTES: usize = 1 << 18;
const MOST_BYTES_OF_SEVERAL: usize = 1 << 16;
/// Bytes left of the scan that are worth a guess.
const LEAST_BYTES: usize = 1 << 14;
/// Bytes that a guess goes beyond where the next one begins, so that this one is in step by then.
const BEYOND: usize = 1 << 11;
/// Where no guess begins.
const NOWHERE: usize = usize::MAX;

pub(super) enum State<'a> {
    /// There is no guess, and this to make one with.
    Idle(Kept),
    Made(Box<Guess<'a>>),
    Found,
}

/// Room for a guess.
pub(super) struct Slot<'a> {
    /// The byte at which it begins.
    from: AtomicUsize,
    state: Mutex<State<'a>>,
}

impl<'a> Slot<'a> {
    pub fn state(&self) -> MutexGuard<'_, State<'a>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A guess that a thread works on: its slot, and the byte at which it begins.
pub(in crate::decode::jpeg) type Own = (usize, usize);

/// What threads are told that wait for something to read.
#[derive(Default)]
struct News {
    /// How often there may have become more so far.
    changes: u64,
    is_over: bool,
}

/// What the threads share: the reader, which reads all of the scan, and those that read ahead.
pub(in crate::decode::jpeg) struct Guesses<'a> {
    bytes: &'a [u8],
    /// The scan as it begins, and its first byte.
    scan: Scan<'a>,
    pub(super) first: usize,
    /// The rows of MCUs that the reader reads.
    rows: usize,
    /// Threads that read ahead.
    threads: usize,
    pub(super) read_on: ReadOn,
    /// The byte that the reader stands at, the one up to which it has MCUs, and the one at which its last row may end.
    pub(super) at: AtomicUsize,
    covered: AtomicUsize,
    end: AtomicUsize,
    /// Nanoseconds that it will have worked after its next row.
    worked: AtomicU64,
    pub(super) slots: Vec<Slot<'a>>,
    /// Held by who chooses where a guess begins.
    choosing: Mutex<()>,
    news: Mutex<News>,
    changed: Condvar,
    is_over: AtomicBool,
}

impl<'a> Guesses<'a> {
    /// Bytes that those of that many threads take at the most.
    pub fn memory(threads: usize) -> usize {
        slots(threads) * Kept::memory(most_bytes(threads))
    }

    /// For a scan of which nothing is read yet, and the first `rows` rows of MCUs are to be; `bytes` are the file. `None` where
    /// there is nothing to guess.
    pub(super) fn new(
        bytes: &'a [u8],
        scan: &Scan<'a>,
        rows: usize,
        threads: usize,
        read_on: ReadOn,
    ) -> Result<Option<Self>> {
        let Some((left, _)) = scan.left() else { return Ok(None) };
        let first = bytes.len() - left;
        let slot = |_| {
            let kept = Kept::new(most_bytes(threads))?;
            Ok(Slot { from: NOWHERE.into(), state: Mutex::new(State::Idle(kept)) })
        };
        Ok(Some(Self {
            bytes,
            scan: scan.from(bytes, first, Some(7)),
            first,
            rows,
            threads,
            read_on,
            at: first.into(),
            covered: first.into(),
            end: first.into(),
            worked: 0.into(),
            slots: (0..slots(threads)).map(slot).collect::<Result<_>>()?,
            choosing: Mutex::default(),
            news: Mutex::default(),
            changed: Condvar::new(),
            is_over: false.into(),
        }))
    }

    /// Reads ahead in a thread of its own until the reader has ended.
    pub fn help(&self) {
        let (mut own, mut changes) = (None, 0);
        loop {
            if self.is_over.load(Ordering::Relaxed) {
                return;
            }
            if self.step(&mut own) {
                continue;
            }
            let mut news = self.news.lock().unwrap_or_else(PoisonError::into_inner);
            while news.changes == changes && !news.is_over {
                news = self.changed.wait(news).unwrap_or_else(PoisonError::into_inner);
            }
            changes = news.changes;
        }
    }

    /// Reads a little ahead for a thread that has worked so many nanoseconds; whether there may be more to read now. It reads no more
    /// than gives it as much to do as the reader has: if that is late for another reason, it waits for a processor, and may get the
    /// one of this thread.
    pub fn read_ahead(&self, worked: u64, own: &mut Option<Own>) -> bool {
        worked <= self.worked.load(Ordering::Relaxed) && self.step(own)
    }

    /// Reads a little of a guess, `own` or a new one; whether there may be more to read now.
    fn step(&self, own: &mut Option<Own>) -> bool {
        let Some((slot, from)) = own.take().or_else(|| self.begin_next()) else { return false };
        let mut state = self.slots[slot].state();
        let is_there = self.slots[slot].from.load(Ordering::Relaxed) == from;
        let (State::Made(guess), true) = (&mut *state, is_there) else { return true };
        // The reader may be waiting for this very guess.
        if self.at.load(Ordering::Relaxed) >= from {
            return true;
        }
        (self.read_on)(guess);
        let next = self.begun().filter(|&other| other > from).min();
        if next.is_some_and(|next| guess.is_past(self.bytes.len(), next + BEYOND)) {
            guess.is_over = true;
        }
        *own = (!guess.is_over).then_some((slot, from));
        true
    }

    /// The bytes at which guesses begin.
    fn begun(&self) -> impl Iterator<Item = usize> {
        self.slots.iter().map(|slot| slot.from.load(Ordering::Relaxed)).filter(|&from| from != NOWHERE)
    }

    /// Begins the next guess, if there is room for one, and use.
    fn begin_next(&self) -> Option<Own> {
        let _choosing = self.choosing.lock().unwrap_or_else(PoisonError::into_inner);
        let (slot, mut state) = self.slots.iter().enumerate().find_map(|(number, slot)| {
            let state = slot.state.try_lock().ok().filter(|state| matches!(**state, State::Idle(_)))?;
            Some((number, state))
        })?;
        let (from, restart) = self.choose()?;
        self.begin(slot, &mut state, from, restart);
        Some((slot, from))
    }

    /// The byte at which to begin, and the number of the restart marker before it, if it comes after one.
    fn choose(&self) -> Option<(usize, Option<u8>)> {
        let (at, covered) = (self.at.load(Ordering::Relaxed), self.covered.load(Ordering::Relaxed));
        let last = self.begun().max().unwrap_or(0).max(at).max(covered);
        let left = self.end.load(Ordering::Relaxed).min(self.bytes.len()).checked_sub(last)?;
        if left < LEAST_BYTES {
            return None;
        }
        let share = (left / (self.threads + 1)).min(most_bytes(self.threads));
        let from = last + share;
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

    /// Begins a guess at byte `from`, after that restart marker, if the slot, whose `state` this is, has none.
    pub(super) fn begin(&self, slot: usize, state: &mut State<'a>, from: usize, restart: Option<u8>) {
        *state = match std::mem::replace(state, State::Found) {
            State::Idle(kept) => {
                self.slots[slot].from.store(from, Ordering::Relaxed);
                State::Made(Guess::new(self.scan.from(self.bytes, from, restart), kept).into())
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
        if self.begun().next().is_none() {
            // It may be known only now how much there is to read.
            self.tell_news(|news| news.changes += 1);
        }
        for (number, slot) in self.slots.iter().enumerate() {
            let from = slot.from.load(Ordering::Relaxed);
            if at < from {
                continue;
            }
            let mut state = slot.state();
            let State::Made(guess) = &mut *state else { continue };
            let Some(bit) = guess.bit(&self.bytes[from..at], buffered) else { continue };
            let found = guess.kept.find(bit);
            if found.is_none() && bit < guess.scan.taken() {
                continue;
            }
            slot.from.store(NOWHERE, Ordering::Relaxed);
            let State::Made(guess) = std::mem::replace(&mut *state, State::Found) else { continue };
            match found {
                Some((word, count)) if scan.follows(&guess.scan, count) => {
                    let end = guess.scan.left().map_or(at, |(left, _)| self.bytes.len() - left);
                    self.covered.store(end, Ordering::Relaxed);
                    return Some(Found::new(guess, number, word));
                }
                _ => self.free(&mut state, guess.kept),
            }
        }
        None
    }

    fn free(&self, state: &mut State<'a>, kept: Kept) {
        *state = State::Idle(kept.cleared());
        self.tell_news(|news| news.changes += 1);
    }

    fn tell_news(&self, tell: impl FnOnce(&mut News)) {
        tell(&mut self.news.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }

    /// Has `scan` go on after the MCUs of a guess, all of which are handed out.
    pub(super) fn end(&self, found: Found<'a>, scan: &mut Scan<'a>) -> std::result::Result<(), Irregular> {
        let Guess { scan: end, kept, is_broken, .. } = *found.guess;
        scan.go_on_from(end);
        self.free(&mut self.slots[found.slot].state(), kept);
        if is_broken { Err(Irregular) } else { Ok(()) }
    }

    /// Has all who help come to an end.
    pub(super) fn end_all(&self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.tell_news(|news| news.is_over = true);
    }
}

/// Guesses that may be there at once: one for each of several threads to work on, and one to be found.
fn slots(threads: usize) -> usize {
    if threads == 1 { 1 } else { 2 * threads }
}

fn most_bytes(threads: usize) -> usize {
    if threads == 1 { MOST_BYTES } else { MOST_BYTES_OF_SEVERAL }
}
