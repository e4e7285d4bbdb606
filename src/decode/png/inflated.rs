//! The image data of a PNG as its lines take them: inflated by the same thread, or ahead by another one.

use super::chunks::Chunks;
use super::stream::{PIECE, Stream};
use crate::ahead::{Maker, Taker};
use crate::decode::rows::{allocate, reserve};
use crate::decode::unfilter::SLACK;
use crate::error::{Error, Result};

/// Pieces that may be inflated ahead.
const PIECES: usize = 4;
/// Bytes of a piece at the most: what a stream has beyond those that it was asked for is less than a piece more.
const PIECE_ROOM: usize = 3 * PIECE;

pub(super) type Piece = Vec<u8>;

/// Where lines come from.
pub(super) enum Inflated<'a> {
    Here(Box<Stream<'a>>),
    Ahead(Ahead),
}

impl<'a> Inflated<'a> {
    /// The stream of `total` bytes in `chunks`, for [`inflate`].
    pub fn stream_ahead(chunks: Chunks<'a>, total: usize) -> Result<Stream<'a>> {
        Stream::new(chunks, PIECE, total)
    }

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
            Self::Ahead(ahead) => ahead.next_piece(),
        }
    }
}

/// What another thread inflates.
pub(super) struct Ahead {
    pieces: Taker<Piece, Error>,
    buffer: Vec<u8>,
    /// The bytes in `buffer` that are not consumed yet.
    start: usize,
    end: usize,
}

impl Ahead {
    /// For lines that ask for at most `longest` bytes at a time.
    pub fn new(pieces: Taker<Piece, Error>, longest: usize) -> Result<Self> {
        Ok(Self { pieces, buffer: allocate("PNG", buffered(longest))?, start: 0, end: 0 })
    }

    /// Pieces to be inflated into.
    pub fn pieces() -> Result<Vec<Piece>> {
        (0..PIECES).map(|_| reserve("PNG", PIECE_ROOM)).collect()
    }

    /// Bytes that it all takes, with the stream of `total` bytes.
    pub fn memory(longest: usize, total: usize) -> usize {
        (Stream::memory(PIECE, total) + PIECES * PIECE_ROOM).saturating_add(buffered(longest))
    }

    fn at_least(&mut self, count: usize) -> Result<&[u8]> {
        if self.end - self.start < count {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        while self.end - self.start < count {
            self.next_piece()?;
        }
        Ok(&self.buffer[self.start..self.end + SLACK])
    }

    fn next_piece(&mut self) -> Result<()> {
        let (buffer, end) = (&mut self.buffer, &mut self.end);
        let taken = self.pieces.with_next(|piece| {
            buffer[*end..][..piece.len()].copy_from_slice(piece);
            *end += piece.len();
        });
        taken.ok_or(Error::Interrupted)?
    }
}

/// Bytes of the buffer: fewer than are asked for, a piece, room for kernels.
fn buffered(longest: usize) -> usize {
    longest.saturating_add(PIECE_ROOM + SLACK)
}

/// Inflates all of `stream`, and checks how it ends.
pub(super) fn inflate(mut stream: Stream<'_>, maker: &Maker<Piece, Error>) {
    loop {
        let Some(mut piece) = maker.free() else { return };
        let inflated = next(&mut stream, &mut piece);
        let is_over = !matches!(inflated, Ok(true));
        maker.hand_over(inflated.map(|_| piece));
        if is_over {
            return;
        }
    }
}

/// Fills a piece, or leaves it empty where the stream has ended well.
fn next(stream: &mut Stream<'_>, piece: &mut Piece) -> Result<bool> {
    piece.clear();
    let count = stream.left().min(PIECE);
    if count == 0 {
        return stream.finish().map(|()| false);
    }
    let data = stream.at_least(count)?;
    let len = (data.len() - SLACK).min(PIECE_ROOM);
    piece.extend_from_slice(&data[..len]);
    stream.consume(len);
    Ok(true)
}
