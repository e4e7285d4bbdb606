//! What a thread that would wait inflates in the middle of the data, from where a block seems to begin there.
//!
//! The bytes before are not known to it: values from 256 on stand for them. The thread that inflates from the beginning
//! may come to the head of a block at exactly that bit. Then both go on alike, since nothing but the bits from there on
//! and the bytes before decides what follows; and it goes on from where the other one has come to.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::chunks::Chunks;
use super::inflate::{BEYOND, Inflater, Search, State, WINDOW};
use crate::decode::rows::reserve;
use crate::error::Result;

/// Units that are inflated before it is known what they stand for, at most.
const MOST: usize = 2 << 20;
/// Units inflated, and bytes searched, before the thread looks for other work.
const STEP: usize = 1 << 15;
const LOOKED_AT: usize = 1 << 10;
/// Bytes of data that are too few to be shared.
const FEWEST: u64 = 1 << 16;
/// Data that give more bytes for one are repeats for the most part: inflating them takes less time than their lines do.
const MOST_REPEATED: u64 = 8;
/// Bytes that are searched without success, and guesses that did not come true, after which no more are made: the data have
/// stored blocks, or those of fixed codes.
const FARTHEST: u64 = 1 << 18;
const TRIES: u32 = 4;
const NONE: u64 = u64::MAX;

/// Bytes, and what stands for those of the window before them: the first [`WINDOW`] stand for themselves.
pub(super) struct Units {
    units: Vec<u16>,
    end: usize,
    /// What each unit stands for, once the window is known.
    known: Vec<u8>,
}

impl Units {
    fn new(most: usize) -> Result<Self> {
        let mut units = reserve("PNG", WINDOW + most + BEYOND)?;
        units.extend(256..256 + WINDOW as u16);
        let mut known = reserve("PNG", 256 + WINDOW)?;
        known.extend(0..=255);
        known.resize(256 + WINDOW, 0);
        Ok(Self { units, end: WINDOW, known })
    }

    /// Those that are inflated.
    pub fn len(&self) -> usize {
        self.end - WINDOW
    }

    /// Takes over the bytes before, [`WINDOW`] of them.
    pub fn follow(&mut self, window: &[u8]) {
        self.known[256..].copy_from_slice(window);
    }

    /// Writes the last bytes, of which the first may be some before.
    pub fn window(&self, out: &mut [u8]) {
        self.write(self.end - WINDOW, out);
    }

    /// Writes the bytes from `at` on.
    pub fn resolve(&self, at: usize, out: &mut [u8]) {
        self.write(WINDOW + at, out);
    }

    fn write(&self, at: usize, out: &mut [u8]) {
        const TOGETHER: usize = 32;
        let units = &self.units[at..][..out.len()];
        for (units, out) in units.chunks(TOGETHER).zip(out.chunks_mut(TOGETHER)) {
            if units.iter().fold(0, |all, unit| all | unit) < 256 {
                out.iter_mut().zip(units).for_each(|(out, &unit)| *out = unit as u8);
            } else {
                out.iter_mut().zip(units).for_each(|(out, &unit)| *out = self.known[unit as usize]);
            }
        }
    }
}

/// What is inflated from a place on.
pub(super) struct Guess<'a> {
    /// The place in bits.
    start: u64,
    pub inflater: Inflater<'a>,
    pub units: Units,
}

/// What both threads know.
pub(super) struct Guesses<'a> {
    /// The bit that the thread from the beginning has come to.
    reached: AtomicU64,
    /// The bit where the guess begins.
    start: AtomicU64,
    guess: Mutex<Option<Guess<'a>>>,
}

impl<'a> Guesses<'a> {
    pub fn new() -> Self {
        Self { reached: AtomicU64::new(0), start: AtomicU64::new(NONE), guess: Mutex::new(None) }
    }

    /// The guess that begins at this bit, where a block does.
    pub fn at(&self, position: u64) -> Option<Guess<'a>> {
        self.reached.store(position, Ordering::Relaxed);
        if self.start.load(Ordering::Relaxed) != position {
            return None;
        }
        self.lock().take_if(|guess| guess.start == position && guess.units.end > WINDOW)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Guess<'a>>> {
        self.guess.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread that guesses.
pub(super) struct Guesser<'s, 'a> {
    guesses: &'s Guesses<'a>,
    search: Search<'a>,
    /// Where the search ends without success, if one is under way.
    until: Option<u64>,
    /// Guesses that may still be wrong.
    tries: u32,
    /// `None` while a guess has them, or who took it.
    spare: Option<Units>,
    /// Units of a guess.
    most: usize,
    /// Bytes of the data, and of what they are inflated to.
    packed: u64,
    total: u64,
}

impl<'s, 'a> Guesser<'s, 'a> {
    /// Bytes that it takes, of data that are inflated to `total` bytes.
    pub fn memory(total: usize) -> usize {
        2 * (WINDOW + most(total) + BEYOND) + 256 + WINDOW
    }

    pub fn new(guesses: &'s Guesses<'a>, chunks: Chunks<'a>, total: usize) -> Result<Self> {
        let (packed, most) = (chunks.bytes() as u64, most(total));
        let (search, spare) = (Search::new(chunks), Some(Units::new(most)?));
        let total = total as u64;
        let tries = if total / MOST_REPEATED < packed { TRIES } else { 0 };
        Ok(Self { guesses, search, until: None, tries, spare, most, packed, total })
    }

    /// Takes back the units of a guess that was taken.
    pub fn recycle(&mut self, units: Units) {
        self.spare = Some(Units { end: WINDOW, ..units });
    }

    /// Does a little; `false` where there is nothing to do before the other thread has come further.
    pub fn step(&mut self) -> bool {
        if self.spare.is_none() {
            return self.go_on();
        }
        if self.tries == 0 {
            return false;
        }
        let reached = self.guesses.reached.load(Ordering::Relaxed) / 8;
        if self.until.is_none() || self.search.byte() <= reached {
            self.until = self.aim(reached).then(|| self.search.byte() + FARTHEST);
        }
        match self.until {
            Some(until) if self.search.byte() < until => self.look(),
            Some(_) => self.tries = 0,
            None => {}
        }
        self.until.is_some()
    }

    /// Chooses where to search: so far away that the other thread comes there when a guess is full.
    fn aim(&mut self, reached: u64) -> bool {
        // It takes this thread as long to fill a guess, and to work on its lines and those before, as the other one to get
        // there from here.
        let left = self.packed.saturating_sub(reached);
        let far = (self.packed * self.most as u64 / self.total * 12 / 5).min(left * 7 / 10);
        far >= FEWEST && self.search.go_to(reached + far)
    }

    fn look(&mut self) {
        let from = self.search.byte();
        match self.search.look(LOOKED_AT) {
            Some((start, inflater)) => {
                let Some(units) = self.spare.take() else { return };
                *self.guesses.lock() = Some(Guess { start, inflater, units });
                self.guesses.start.store(start, Ordering::Relaxed);
            }
            None if self.search.byte() < from + LOOKED_AT as u64 => self.until = None,
            None => {}
        }
    }

    /// Inflates more of the guess.
    fn go_on(&mut self) -> bool {
        let mut place = self.guesses.lock();
        let Some(guess) = place.as_mut() else { return false };
        let is_missed = self.guesses.reached.load(Ordering::Relaxed) > guess.start;
        if !is_missed {
            let limit = (guess.units.end + STEP).min(WINDOW + self.most);
            if guess.units.end >= limit || guess.inflater.state() == State::Over {
                return false;
            }
            let Units { units, end, .. } = &mut guess.units;
            if units.len() < limit + BEYOND {
                units.resize(limit + BEYOND, 0);
            }
            if let Ok(now) = guess.inflater.inflate(units, *end, limit) {
                *end = now;
                return true;
            }
        }
        // No block begins there, or the data are damaged.
        if let Some(guess) = place.take() {
            self.spare = Some(Units { end: WINDOW, ..guess.units });
        }
        self.guesses.start.store(NONE, Ordering::Relaxed);
        self.tries -= 1;
        if is_missed {
            self.until = None;
        }
        true
    }
}

/// Units of a guess in data of `total` bytes.
fn most(total: usize) -> usize {
    MOST.min(total / 2)
}
