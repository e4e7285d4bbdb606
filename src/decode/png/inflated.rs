//! The image data of a PNG as its lines take them: inflated by the same thread, or ahead by another one.

use simd_adler32::Adler32;

use super::chunks::Chunks;
use super::guess::{Guesser, Guesses, Units};
use super::pieces::{PIECE, Piece};
use super::stream::Stream;
use crate::ahead::Taker;
use crate::decode::rows::allocate;
use crate::decode::unfilter::SLACK;
use crate::error::{Error, Result};
use crate::interrupt;

/// Where lines come from.
pub(super) enum Inflated<'g, 'a> {
    Here(Box<Stream<'a>>),
    Ahead(Box<Ahead<'g, 'a>>),
}

impl Inflated<'_, '_> {
    /// Bytes that are inflated and not consumed, at least `count` of them, and [`SLACK`] after them.
    pub fn at_least(&mut self, count: usize) -> Result<&[u8]> {
        match self {
            Self::Here(stream) => stream.at_least(count),
            Self::Ahead(ahead) => ahead.at_least(count),
        }
    }

    /// Passes over bytes that were inflated.
    pub fn consume(&mut self, count: usize) {
        match self {
            Self::Here(stream) => stream.consume(count),
            Self::Ahead(ahead) => ahead.start += count,
        }
    }

    /// Checks that the data end with their last byte, and well.
    pub fn finish(&mut self) -> Result<()> {
        match self {
            Self::Here(stream) => stream.finish(),
            Self::Ahead(ahead) => ahead.finish(),
        }
    }
}

/// What another thread inflates, and what this one guesses meanwhile.
pub(super) struct Ahead<'g, 'a> {
    pieces: Taker<Piece, Error>,
    guesser: Guesser<'g, 'a>,
    /// A guess that came true: its units, and how many of them were in `buffer`.
    guessed: Option<(Units, usize)>,
    buffer: Vec<u8>,
    /// The bytes in `buffer` that are not consumed yet.
    start: usize,
    end: usize,
    /// Of the bytes that were in `buffer`, and of all according to the file.
    checksum: Adler32,
    expected: Option<u32>,
}

impl<'g, 'a> Ahead<'g, 'a> {
    /// For lines that ask for at most `longest` bytes at a time, out of `total`.
    pub fn new(
        pieces: Taker<Piece, Error>,
        guesses: &'g Guesses<'a>,
        chunks: Chunks<'a>,
        longest: usize,
        total: usize,
    ) -> Result<Self> {
        Ok(Self {
            pieces,
            guesser: Guesser::new(guesses, chunks, total)?,
            guessed: None,
            buffer: allocate("PNG", buffered(longest))?,
            start: 0,
            end: 0,
            checksum: Adler32::new(),
            expected: None,
        })
    }

    /// Bytes that it takes, besides the pieces.
    pub fn memory(longest: usize, total: usize) -> usize {
        buffered(longest).saturating_add(Guesser::memory(total))
    }

    fn at_least(&mut self, count: usize) -> Result<&[u8]> {
        if self.end - self.start < count {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        while self.end - self.start < count {
            self.add_piece()?;
        }
        Ok(&self.buffer[self.start..self.end + SLACK])
    }

    fn finish(&mut self) -> Result<()> {
        (self.start, self.end) = (0, 0);
        loop {
            match self.expected {
                Some(expected) if expected == self.checksum.finish() => return Ok(()),
                Some(_) => return Err(Error::decode("PNG", "data with a wrong checksum")),
                None => self.add_piece()?,
            }
        }
    }

    fn add_piece(&mut self) -> Result<()> {
        interrupt::check()?;
        let from = self.end;
        if let Some((units, at)) = &mut self.guessed {
            let count = (units.len() - *at).min(PIECE);
            units.resolve(*at, &mut self.buffer[from..][..count]);
            *at += count;
            self.end += count;
        } else {
            let taken = self.pieces.with_next(
                || self.guesser.step(),
                |piece| {
                    let bytes = piece.inflated();
                    self.buffer[from..][..bytes.len()].copy_from_slice(bytes);
                    self.end += bytes.len();
                    self.expected = piece.checksum.take();
                    self.guessed = piece.guessed.take().map(|units| (units, 0));
                },
            );
            taken.ok_or(Error::Interrupted)??;
        }
        if let Some((units, _)) = self.guessed.take_if(|(units, at)| *at == units.len()) {
            self.guesser.recycle(units);
        }
        self.checksum.write(&self.buffer[from..self.end]);
        Ok(())
    }
}

/// Bytes of the buffer: fewer than are asked for, a piece, room for kernels.
fn buffered(longest: usize) -> usize {
    longest.saturating_add(Piece::MOST + SLACK)
}
