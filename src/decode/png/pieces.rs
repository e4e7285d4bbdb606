//! The thread that inflates a PNG's data from the beginning, ahead of the one that works on their lines.

use super::chunks::Chunks;
use super::guess::{Guesses, Units};
use super::inflate::{BEYOND, Fault, Inflater, State, WINDOW};
use crate::ahead::Maker;
use crate::decode::rows::allocate;
use crate::error::{Error, Result};

/// Pieces that may be inflated ahead: as many as make up for the lines of a guess, during which none is taken.
const PIECES: usize = 8;
/// Bytes of a piece, at least, or of the data that it takes.
pub(super) const PIECE: usize = 1 << 17;

/// Some bytes, with those before that repeats reach.
pub(super) struct Piece {
    bytes: Vec<u8>,
    /// Where its own begin, and end.
    start: usize,
    end: usize,
    /// What follows, where that is inflated already.
    pub guessed: Option<Units>,
    /// What follows the last byte.
    pub checksum: Option<u32>,
}

impl Piece {
    /// Bytes of its own that it may have.
    pub const MOST: usize = PIECE + BEYOND;

    fn new() -> Result<Self> {
        let bytes = allocate("PNG", WINDOW + Self::MOST)?;
        Ok(Self { bytes, start: 0, end: 0, guessed: None, checksum: None })
    }

    /// Its own bytes.
    pub fn inflated(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// The last bytes up to its end.
    pub fn window(&self) -> &[u8] {
        &self.bytes[self.end.saturating_sub(WINDOW)..self.end]
    }

    /// Begins after another one.
    fn follow(&mut self, former: &Piece) {
        let window = former.window();
        self.start = window.len();
        match &former.guessed {
            None => self.bytes[..window.len()].copy_from_slice(window),
            Some(units) => units.window(&mut self.bytes[..WINDOW]),
        }
        self.end = self.start;
    }
}

/// Pieces to be inflated into.
pub(super) fn pieces() -> Result<Vec<Piece>> {
    (0..PIECES).map(|_| Piece::new()).collect()
}

/// Bytes that they take, and the tables of both threads.
pub(super) fn memory() -> usize {
    const TABLES: usize = 5 * (32 << 10);
    PIECES * (WINDOW + Piece::MOST) + TABLES
}

/// Inflates all of the data, `total` bytes, and whatever is wrong with them ends it by an error.
pub(super) fn inflate<'a>(
    chunks: Chunks<'a>,
    total: usize,
    guesses: &Guesses<'a>,
    maker: &Maker<Piece, Error>,
) {
    let mut inflating = Inflating { inflater: Inflater::new(chunks), guesses, missing: total };
    if inflating.run(maker).is_err() {
        maker.hand_over(Err(Error::decode("PNG", "data that break the rules of deflate")));
    }
}

struct Inflating<'s, 'a> {
    inflater: Inflater<'a>,
    guesses: &'s Guesses<'a>,
    /// Bytes that are still to be inflated.
    missing: usize,
}

impl Inflating<'_, '_> {
    fn run(&mut self, maker: &Maker<Piece, Error>) -> Result<(), Fault> {
        self.inflater.begin()?;
        let Some(mut piece) = maker.free() else { return Ok(()) };
        loop {
            self.fill(&mut piece)?;
            if piece.checksum.is_some() {
                maker.hand_over(Ok(piece));
                return Ok(());
            }
            let Some(mut next) = maker.free() else { return Ok(()) };
            next.follow(&piece);
            maker.hand_over(Ok(piece));
            piece = next;
        }
    }

    /// Inflates a piece, or to where a guess begins or all is over. Empty blocks, which may be many, end a piece as bytes do:
    /// who waits for it looks between pieces whether to stop.
    fn fill(&mut self, piece: &mut Piece) -> Result<(), Fault> {
        let limit = piece.start + PIECE;
        let most = self.inflater.position() + 8 * PIECE as u64;
        while piece.end < limit && self.inflater.position() < most {
            match self.inflater.state() {
                State::Over if self.missing > 0 => return Err(Fault),
                State::Over => {
                    piece.checksum = Some(self.inflater.checksum()?);
                    return Ok(());
                }
                State::Head if piece.end >= WINDOW => {
                    if let Some(mut guess) = self.guesses.at(self.inflater.position()) {
                        self.inflater = guess.inflater;
                        self.count(guess.units.len())?;
                        guess.units.follow(piece.window());
                        piece.guessed = Some(guess.units);
                        return Ok(());
                    }
                }
                _ => {}
            }
            let end = self.inflater.inflate(&mut piece.bytes, piece.end, limit)?;
            self.count(end - piece.end)?;
            piece.end = end;
        }
        Ok(())
    }

    fn count(&mut self, inflated: usize) -> Result<(), Fault> {
        self.missing = self.missing.checked_sub(inflated).ok_or(Fault)?;
        Ok(())
    }
}
